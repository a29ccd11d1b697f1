//go:build unix && !linux

package lab

import "syscall"

// child keeps the terminal's Ctrl-C from it, as we end it ourselves.
func child() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
