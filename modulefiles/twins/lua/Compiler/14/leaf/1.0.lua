setenv("LEAF", myModuleVersion() .. " of 14")
