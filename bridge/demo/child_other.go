//go:build unix && !linux

package demo

import "syscall"

// child keeps the terminal's Ctrl-C from the homeserver, which we end ourselves.
func child() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
