# Standard errors of a weighted mean and of a ratio (F1) under four designs, by R's survey package.
# Rscript survey.R   (Debian: r-cran-survey); the numbers stand in test_design_variance.py.
suppressMessages(library(survey))
options(digits = 15)
i <- 0:119
rows <- data.frame(
  x = ((i * 7919) %% 101) / 101, w = 1 + (i %% 4), group = i %/% 5, stratum = i %/% 30,
  y = as.integer((i * 31) %% 7 < 3), p = as.integer((i * 17) %% 11 < 5)
)
rows$top <- 2 * rows$y * rows$p
rows$bottom <- rows$y + rows$p
designs <- list(
  rows = svydesign(ids = ~1, weights = ~w, data = rows),
  groups = svydesign(ids = ~group, weights = ~w, data = rows),
  strata = svydesign(ids = ~1, strata = ~stratum, weights = ~w, data = rows),
  both = svydesign(ids = ~group, strata = ~stratum, weights = ~w, data = rows)
)
for (name in names(designs)) {
  mean <- svymean(~x, designs[[name]])
  f1 <- svyratio(~top, ~bottom, designs[[name]])
  cat(name, format(c(coef(mean), SE(mean), coef(f1), SE(f1)), digits = 15), degf(designs[[name]]), "\n")
}
