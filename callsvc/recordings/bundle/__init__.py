"""A copy of a call, or of a stretch of it, that somebody else can keep, play and check without anything of ours.

    paket/
      LÄSMIG.txt            how to check it, in words
      SHA256SUMS  .sig      every file's digest, signed; nyckel.pub is the key
      paket.json            what this copy is, and of what
      ljud/<track>.flac     each track; ljud/stereo.flac: caller left, operator right
      transkript.txt        if there is one
      spela.html            a player that needs no network
      original/             the sealed recording's own manifest, signature and key

docs/reference/bundle-format.md is its specification.
"""

from callsvc.recordings.bundle.export import Line, Stretch, export

__all__ = ["Line", "Stretch", "export"]
