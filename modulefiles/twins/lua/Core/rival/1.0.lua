conflict("app")
setenv("RIVAL", "1")
