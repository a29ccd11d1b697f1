package demo

import "syscall"

// child keeps the terminal's Ctrl-C from the homeserver, which we end ourselves,
// and has the kernel end it should we be killed.
func child() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
