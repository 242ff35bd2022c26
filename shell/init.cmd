@echo off
rem xmod for cmd.exe. Without arguments: defines the macros `module` and `ml`; with arguments: one module command.
rem The program runs on Linux: LMOD_CMD must name something that reaches it from here.
if not "%~1"=="" goto :run
set "MODULESHOME=@MODULESHOME@"
if not defined LMOD_CMD set "LMOD_CMD=@LMOD_CMD@"
set "LMOD_DIR=@LMOD_DIR@"
doskey module=call "%~f0" $*
doskey ml=call "%~f0" ml $*
exit /b 0

:run
set "_XMOD_CODE=%TEMP%\xmod-%RANDOM%%RANDOM%.cmd"
"%LMOD_CMD%" cmd %* >"%_XMOD_CODE%"
call "%_XMOD_CODE%"
if errorlevel 1 (
    del "%_XMOD_CODE%"
    set "_XMOD_CODE="
    exit /b 1
)
del "%_XMOD_CODE%"
set "_XMOD_CODE="
exit /b 0
