# xmod for R: `module("load", "gcc")` changes the environment of this process.
#     source(file.path(Sys.getenv("MODULESHOME"), "init", "R"))

Sys.setenv(MODULESHOME = @MODULESHOME@)
Sys.setenv(LMOD_CMD = @LMOD_CMD@)
Sys.setenv(LMOD_DIR = @LMOD_DIR@)

# Runs one module command; returns TRUE when it was met, or its text result.
module <- function(...) {
  words <- unlist(strsplit(as.character(c(...)), "[[:space:]]+"))
  code <- suppressWarnings(system2(Sys.getenv("LMOD_CMD"), c("r", shQuote(words)), stdout = TRUE))
  mlstatus <- FALSE
  eval(parse(text = code))
  invisible(mlstatus)
}
