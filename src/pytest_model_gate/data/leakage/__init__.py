"""Whether rows of one dataset stand in another one: the columns compared by value, in bounded memory."""
