//go:build unix

package image

import (
	"os"
	"os/exec"
	"syscall"
)

// asNobody has a command run as a user who owns nothing, if that can be.
func asNobody(cmd *exec.Cmd) {
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
}
