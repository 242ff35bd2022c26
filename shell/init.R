# xmod for R: `module("load", "gcc")` changes the environment of this process.
#     source(file.path(Sys.getenv("MODULESHOME"), "init", "R"))

if (file.access(@LMOD_CMD@, 1) == 0 || Sys.getenv("MODULESHOME") == "") {
  Sys.setenv(MODULESHOME = @MODULESHOME@)
  Sys.setenv(LMOD_CMD = @LMOD_CMD@)
  Sys.setenv(LMOD_DIR = @LMOD_DIR@)
} else {
  # The tree was moved.
  Sys.setenv(LMOD_DIR = paste0(Sys.getenv("MODULESHOME"), "/libexec"))
  Sys.setenv(LMOD_CMD = paste0(Sys.getenv("LMOD_DIR"), "/lmod"))
}

# Runs one module command; returns TRUE when it was met, or its text result.
module <- function(...) {
  words <- unlist(strsplit(as.character(c(...)), "[[:space:]]+"))
  code <- suppressWarnings(system2(Sys.getenv("LMOD_CMD"), c("r", shQuote(words)), stdout = TRUE))
  mlstatus <- FALSE
  eval(parse(text = code))
  invisible(mlstatus)
}

if (is.na(Sys.getenv("MODULEPATH", NA)) && file.exists(file.path(Sys.getenv("MODULESHOME"), "etc", "modulespath"))) {
  module("modulespath")
}
