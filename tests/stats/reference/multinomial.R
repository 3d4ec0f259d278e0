# Exact binomial and multinomial tests, chi-squared tests and Clopper-Pearson bounds, by base R.
# Rscript multinomial.R   (no packages); the numbers stand in test_shares.py.
# The multinomial test sums dmultinom over all outcomes that are at most as likely as the observed one.
options(digits = 15)
exact <- function(counts, shares) {
  n <- sum(counts)
  own <- dmultinom(counts, prob = shares)
  total <- 0
  visit <- function(done, left, cells) {
    if (cells == 1) {
      p <- dmultinom(c(done, left), prob = shares)
      if (p <= own * (1 + 1e-7)) total <<- total + p
      return(invisible())
    }
    for (here in 0:left) visit(c(done, here), left - here, cells - 1)
  }
  visit(c(), n, length(counts))
  total
}
for (case in list(c(1, 9, .5), c(0, 20, .1), c(30, 70, .22), c(5, 995, .01), c(480, 519, .5))) {
  test <- binom.test(case[1], case[1] + case[2], case[3])
  cat("binomial", case, format(c(test$p.value, test$conf.int), digits = 15), "\n")
}
cases <- list(
  list(c(5, 3, 2), c(.2, .3, .5)),
  list(c(0, 4, 16), c(.1, .3, .6)),
  list(c(10, 20, 30, 40), c(.25, .25, .25, .25)),
  list(c(7, 1, 1, 1, 2), c(.3, .3, .2, .1, .1)),
  list(c(20, 30, 11), c(1 / 3, 1 / 3, 1 / 3))
)
for (case in cases) {
  cat("multinomial", case[[1]], case[[2]], format(exact(case[[1]], case[[2]]), digits = 15), "\n")
}
for (case in list(list(c(700, 300, 250), c(.5, .25, .25)), list(c(5100, 4900), c(.5, .5)))) {
  test <- chisq.test(case[[1]], p = case[[2]])
  cat("chi-squared", case[[1]], case[[2]], format(test$p.value, digits = 15), "\n")
}
