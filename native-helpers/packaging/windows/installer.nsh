; The uninstaller ends what runs and puts the network back before the files go; an update leaves the network alone.
!macro customUnInstall
  ${ifNot} ${isUpdated}
    nsExec::ExecToLog 'sc.exe stop HiggsNodeHelper'
    nsExec::ExecToLog 'sc.exe delete HiggsNodeHelper'
    System::Call 'kernel32::SetEnvironmentVariable(t "ELECTRON_RUN_AS_NODE", t "1")'
    nsExec::ExecToLog '"$INSTDIR\HiggsNode.exe" "$INSTDIR\resources\cli.mjs" restore-network'
    System::Call 'kernel32::SetEnvironmentVariable(t "ELECTRON_RUN_AS_NODE", t "")'
  ${endIf}
!macroend
