package lab

import "syscall"

// child keeps the terminal's Ctrl-C from it, as we end it ourselves,
// and has the kernel end it should we be killed.
func child() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
