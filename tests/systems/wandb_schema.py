"""What the stand-in for the server of W&B can be asked: the fields that the client asks for, and no more."""

from __future__ import annotations

from graphql import build_schema

SCHEMA = build_schema("""
scalar DateTime
scalar JSONString
scalar Int64
type Query {
  viewer: User
  serverInfo: ServerInfo
  project(name: String!, entityName: String): Project
  artifact(id: ID!): Artifact
}
type Mutation {
  upsertBucket(input: UpsertBucketInput!): UpsertBucketPayload
  createRunFiles(input: CreateRunFilesInput!): CreateRunFilesPayload
  updateArtifact(input: UpdateArtifactInput!): UpdateArtifactPayload
}
input UpsertBucketInput {
  id: String
  name: String
  groupName: String
  modelName: String
  entityName: String
  description: String
  displayName: String
  notes: String
  config: JSONString
  commit: String
  host: String
  debug: Boolean
  jobProgram: String
  jobRepo: String
  jobType: String
  state: String
  sweep: String
  tags: [String!]
  summaryMetrics: JSONString
}
type UpsertBucketPayload { bucket: Run inserted: Boolean }
input CreateRunFilesInput { entityName: String! projectName: String! runName: String! files: [String!]! }
type CreateRunFilesPayload { runID: ID! uploadHeaders: [String!]! files: [UploadedFile!]! }
type UploadedFile { name: String! uploadUrl: String! }
input TagInput { tagName: String! }
input UpdateArtifactInput {
  artifactID: ID!
  description: String
  metadata: JSONString
  ttlDurationSeconds: Int64
  tagsToAdd: [TagInput!]
  tagsToDelete: [TagInput!]
}
type UpdateArtifactPayload { artifact: Artifact }
type Run {
  id: ID!
  name: String!
  projectId: Int
  project: Project
  displayName: String
  sweepName: String
  state: String
  tags: [String!]
  config: JSONString
  group: String
  jobType: String
  commit: String
  readOnly: Boolean
  createdAt: DateTime!
  heartbeatAt: DateTime
  description: String
  notes: String
  systemMetrics: JSONString
  summaryMetrics: JSONString
  historyLineCount: Int
  historyKeys: JSONString
  user: User
  fileCount: Int
  files(names: [String], after: String, first: Int, pattern: String): RunFileConnection
  outputArtifacts(after: String, first: Int): ArtifactConnection
}
union ArtifactCreator = Run | User
type RunFileConnection { pageInfo: PageInfo! edges: [RunFileEdge!]! }
type RunFileEdge { node: RunFile cursor: String! }
type RunFile {
  id: ID!
  name: String!
  url(upload: Boolean): String
  directUrl: String!
  sizeBytes: Int64!
  mimetype: String
  updatedAt: DateTime
  md5: String
}
type ArtifactConnection { totalCount: Int! pageInfo: PageInfo! edges: [ArtifactEdge!]! }
type ArtifactEdge { node: Artifact }
type ServerInfo { features: [ServerFeature!]! }
type ServerFeature { name: String! isEnabled: Boolean! }
type User {
  id: ID!
  name: String
  entity: String
  username: String
  email: String
  flags: JSONString
  teams: TeamConnection
}
type TeamConnection { edges: [TeamEdge!]! }
type TeamEdge { node: Entity }
type Entity { id: ID! name: String! }
type Project {
  id: ID!
  internalId: ID!
  name: String!
  entity: Entity!
  artifactCollectionMembership(name: String!): ArtifactCollectionMembership
  artifactCollection(name: String!): ArtifactCollection
  run(name: String!): Run
  runCount(filters: JSONString): Int!
  readOnly: Boolean
  runs(filters: JSONString, after: String, first: Int, order: String): RunConnection
}
type RunConnection { edges: [RunEdge!]! pageInfo: PageInfo! }
type RunEdge { node: Run! cursor: String! }
interface ArtifactCollection {
  name: String!
  project: Project
  artifactMembership(aliasName: String!): ArtifactCollectionMembership
}
type ArtifactSequence implements ArtifactCollection {
  name: String!
  project: Project
  artifactMembership(aliasName: String!): ArtifactCollectionMembership
}
type ArtifactCollectionMembership {
  id: ID!
  versionIndex: Int
  createdAt: DateTime!
  aliases: [ArtifactAlias!]!
  artifactCollection: ArtifactCollection
  artifact: Artifact
  files(first: Int, after: String): FileConnection
}
type ArtifactAlias { id: ID! alias: String! artifactCollection: ArtifactCollection }
type ArtifactType { name: String! }
type Tag { id: ID! name: String! }
type Artifact {
  id: ID!
  artifactSequence: ArtifactSequence!
  versionIndex: Int
  artifactType: ArtifactType!
  description: String
  metadata: JSONString
  ttlDurationSeconds: Int64!
  ttlIsInherited: Boolean!
  tags: [Tag!]!
  historyStep: Int64
  state: String!
  size: Int64!
  digest: String!
  digestAlgorithm: String
  commitHash: String
  fileCount: Int64!
  createdAt: DateTime!
  updatedAt: DateTime
  aliases: [ArtifactAlias!]!
  currentManifest: ArtifactManifest
  createdBy: ArtifactCreator
}
type ArtifactManifest { file: File! }
type File { name: String! directUrl: String! }
type FileConnection { pageInfo: PageInfo! edges: [FileEdge!]! }
type FileEdge { node: File }
type PageInfo { endCursor: String hasNextPage: Boolean! }
""")
