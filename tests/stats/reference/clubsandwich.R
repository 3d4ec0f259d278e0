# The CR2 standard error and Satterthwaite's degrees of freedom of a mean over groups of unequal size, by R's
# clubSandwich package. Rscript clubsandwich.R   (Debian: r-cran-clubsandwich); the numbers stand in
# test_unequal_groups.py.
suppressMessages(library(clubSandwich))
options(digits = 15)
for (sizes in list(c(60, 20, 10, 10, 5, 5, 4, 3, 2, 1), rep(12, 10), c(1, 2, 5, 10, 22, 80))) {
  i <- seq_len(sum(sizes)) - 1
  group <- rep(seq_along(sizes), sizes)
  x <- ((i * 7919) %% 101) / 101 + ((group * 37) %% 11) / 11
  fit <- lm(x ~ 1)
  test <- coef_test(fit, vcov = "CR2", cluster = group, test = "Satterthwaite")
  cat(length(sizes), format(c(test$beta, test$SE, test$df), digits = 15), "\n")
}
