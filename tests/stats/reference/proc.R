# The aSAH data and DeLong's tests on them, by R's pROC package.
# Rscript proc.R > asah.csv   (Debian: r-cran-proc); the tests' results go to standard error.
suppressMessages(library(pROC))
data(aSAH)
rows <- data.frame(
  poor = as.integer(aSAH$outcome == "Poor"), s100b = aSAH$s100b, ndka = aSAH$ndka,
  wfns = as.integer(aSAH$wfns)
)
write.csv(rows, stdout(), row.names = FALSE, quote = FALSE)
roc_of <- function(name) roc(rows$poor, rows[[name]], levels = c(0, 1), direction = "<")
for (pair in list(c("s100b", "ndka"), c("wfns", "ndka"), c("wfns", "s100b"))) {
  first <- roc_of(pair[1])
  second <- roc_of(pair[2])
  test <- roc.test(first, second, method = "delong", paired = TRUE)
  found <- c(auc(first), auc(second), test$statistic, test$p.value)
  cat(pair, format(found, digits = 15), "\n", file = stderr())
}
