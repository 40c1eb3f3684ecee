package main

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"testing"

	. "github.com/onsi/gomega"
)

// A build is known by its file: what one settled, another does not trust.
func TestABuildIsKnownByItsFile(t *testing.T) {
	g := NewWithT(t)
	path, err := os.Executable()
	g.Expect(err).NotTo(HaveOccurred())
	program, err := os.ReadFile(path)
	g.Expect(err).NotTo(HaveOccurred())
	sum := sha256.Sum256(program)
	g.Expect(buildDigest()).To(Equal(hex.EncodeToString(sum[:])))
}
