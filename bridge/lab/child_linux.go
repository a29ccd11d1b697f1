package lab

import "syscall"

// Child is how we start programs: the terminal’s Ctrl-C does not reach them, as we end them ourselves,
// and the kernel ends them should we be killed.
func Child() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
