"""What goes wrong with files: writers that died or are still at work, copies cut short, files that are something else.

HDF5 marks a file that is open for writing in its superblock: bit 0 of byte 20 (version 0 and 1) or byte 11 (2 and 3).
A killed writer leaves the mark, a clean close removes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SIGNATURE = b"\x89HDF\r\n\x1a\n"
VERSION_BYTE = 8
OLD_FLAG_BYTE, NEW_FLAG_BYTE = 20, 11
OPEN_FOR_WRITE = 1


def mark_open(path: Path) -> Path:
    """Set the open-for-write mark of a closed file; its times are now those of this change."""
    content = bytearray(path.read_bytes())
    content[flag_byte(content)] |= OPEN_FOR_WRITE
    path.write_bytes(content)
    return path


def flag_byte(head: bytes | bytearray) -> int:
    """Return where the file keeps its mark. Raises ValueError when these are not the first bytes of an HDF5 file."""
    if head[: len(SIGNATURE)] != SIGNATURE:
        raise ValueError("no HDF5 signature at the first byte")
    return NEW_FLAG_BYTE if head[VERSION_BYTE] >= 2 else OLD_FLAG_BYTE  # noqa: PLR2004 - the version is the rule


def write_truncated(path: Path, whole: Path) -> Path:
    """Write the first three fifths of a whole file, as a copy that ran into a full disk leaves it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = whole.read_bytes()
    path.write_bytes(content[: len(content) * 3 // 5])
    return path


def write_text(path: Path) -> Path:
    """Write a message of the acquisition under a master's name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("writer failed: no space left on device, nothing was saved\n")
    return path


def write_lfs_pointer(path: Path) -> Path:
    """Write what a repository holds in place of a large file that was never fetched."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ("version https://git-lfs.github.com/spec/v1", f"oid sha256:{'5e1f' * 16}", "size 48230116")
    path.write_text("\n".join(lines) + "\n")
    return path
