"""Builds the emulated machine's disk, kernel and initial RAM disk, from nothing but packages.

    python -m virtual_board.image amd64|arm64     builds it where it is not in the cache

Cached in $XDG_CACHE_HOME/edge-vision-system under a name that changes with these files and with
Debian's release.  Needs mmdebstrap, and as root nothing more; else user namespaces.
"""

import hashlib
import logging
import lzma
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

RELEASE = "trixie"
PYTHON = "3.13"
MIRROR = "http://deb.debian.org/debian"
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
PACKAGES = (
    "systemd", "systemd-sysv", "udev", "dbus", "kmod", "procps", "v4l-utils", "busybox-static",
    "python3", "python3-venv",
    # What picamera2 stands on; Debian has no package of itself.
    "python3-libcamera", "libcamera-ipa", "python3-numpy", "python3-pil", "python3-prctl",
)  # fmt: skip
PICAMERA2 = (
    "picamera2==0.3.38", "piexif==1.1.3", "simplejpeg==1.9.0", "videodev2==0.0.4",
)  # fmt: skip
PIDNG = {"camdefs": "Picamera2Camera = None\n", "core": "PICAM2DNG = None\n"}
"""Stands for the package pidng, which must be compiled and writes raw pictures; no case does."""
MODULES = ("virtio_pci", "virtio_blk", "crc32c_generic", "ext4")
"""What the first RAM disk loads to reach the disk; what is built into the kernel is skipped."""
DISK_BYTES = 4 << 30
HERE = Path(__file__).resolve().parent
PICTURES = HERE.parents[1] / "pictures"

log = logging.getLogger("image")

_INIT = """#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
for module in /modules/*; do /bin/busybox insmod $module; done
until [ -b /dev/vda ]; do /bin/busybox sleep 0.1; done
/bin/busybox mount -t ext4 -o noatime /dev/vda /root || exec /bin/busybox sh
for folder in dev proc sys; do /bin/busybox mount --move /$folder /root/$folder; done
exec /bin/busybox switch_root /root /sbin/init
"""


def cache() -> Path:
    """The folder of everything that is kept from run to run."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "edge-vision-system"


def wheel_options(arch: str) -> list[str]:
    """pip's options for wheels of the emulated machine instead of this one."""
    machine = MACHINES[arch]
    platforms = [f"--platform=manylinux_2_{glibc}_{machine}" for glibc in (28, 27, 26, 24, 17)]
    platforms.append(f"--platform=manylinux2014_{machine}")
    return ["--only-binary=:all:", "--implementation=cp", f"--python-version={PYTHON}", *platforms]


def ensure(arch: str) -> Path:
    """The folder with disk.ext4, vmlinuz and initrd of `arch`; builds it where it is not there."""
    sources = [HERE / "image.py", HERE / "agent.py", PICTURES / "cup.jpg"]
    sources += sorted(path for path in (HERE / "guest_files").rglob("*") if path.is_file())
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
    folder = cache() / f"{RELEASE}-{arch}-{digest[:16]}"
    if not folder.exists():
        partial = folder.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        build(arch, partial)
        partial.rename(folder)
    return folder


def build(arch: str, out: Path) -> None:
    """Everything from nothing, into the empty folder `out`."""
    begin = time.monotonic()
    extra = out / "extra"
    shutil.copytree(HERE / "guest_files" / "root", extra)
    packages = extra / f"usr/local/lib/python{PYTHON}/dist-packages"
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-compile"]
    subprocess.run([*pip, "--target", packages, *wheel_options(arch), *PICAMERA2], check=True)
    shutil.copytree(HERE / "guest_files" / "python", packages, dirs_exist_ok=True)
    (packages / "pidng").mkdir()
    for name, text in PIDNG.items():
        (packages / "pidng" / f"{name}.py").write_text(text)
    (metadata,) = packages.glob("picamera2-*.dist-info/METADATA")
    lines = metadata.read_text().splitlines(keepends=True)
    # What it asks for and the tests do not use is left out; pip would complain at every install.
    metadata.write_text("".join(line for line in lines if not line.startswith("Requires-Dist:")))
    with (packages / "picamera2" / "__init__.py").open("a") as init:
        init.write("\nimport picamera2_on_virtual  # noqa: E402, F401\n")
    agent = extra / "usr/local/sbin/board-agent"
    agent.parent.mkdir(parents=True)
    shutil.copy(HERE / "agent.py", agent)
    shutil.copy(PICTURES / "cup.jpg", extra / "usr/share/libcamera/pipeline/virtual/")
    log.info("%3.0f s: picamera2 is there", time.monotonic() - begin)
    finish = f"{sys.executable} {HERE / 'image.py'} --finish {arch} {out}"
    command = ["mmdebstrap", "-q", f"--arch={arch}", "--variant=minbase", "--skip=cleanup"]
    command += [f"--include={','.join(PACKAGES)}"]
    command += [f"--dpkgopt=path-exclude=/usr/share/{part}/*" for part in ("doc", "man", "locale")]
    command += [f"--customize-hook=sync-in {extra} /", f'--customize-hook={finish} "$1"']
    subprocess.run([*command, RELEASE, "/dev/null", MIRROR], check=True)
    shutil.rmtree(extra)
    log.info("%3.0f s: the image is built", time.monotonic() - begin)


def finish(arch: str, out: Path, root: Path) -> None:
    """Called by mmdebstrap as (perhaps mapped) root: kernel, services, first RAM disk, disk."""
    begin = time.monotonic()
    apt = {**os.environ, "APT_CONFIG": os.environ["MMDEBSTRAP_APT_CONFIG"]}
    depends = subprocess.check_output(
        ["apt-cache", "depends", "--important", f"linux-image-{arch}"], env=apt, text=True
    )
    kernel = next(line.split()[-1] for line in depends.splitlines() if "Depends:" in line)
    # Taken apart, not installed: its scripts would build a RAM disk, for minutes when emulated.
    subprocess.run(["apt-get", "download", "-q", kernel], env=apt, cwd=out, check=True)
    (package,) = out.glob("linux-image-*.deb")
    subprocess.run(["dpkg-deb", "-x", package, root], check=True)
    package.unlink()
    version = next((root / "usr/lib/modules").iterdir()).name
    subprocess.run(["chroot", root, "depmod", version], check=True)
    (root / "boot" / f"vmlinuz-{version}").rename(out / "vmlinuz")
    log.info("%3.0f s: kernel %s", time.monotonic() - begin, version)
    # The service may not write what Python compiles, and would do it at each start.
    compile_all = ["python3", "-m", "compileall", "-q", f"/usr/local/lib/python{PYTHON}"]
    subprocess.run(["chroot", root, *compile_all], check=True)
    units = ["board-agent.service"]
    subprocess.run(["systemctl", f"--root={root}", "-q", "enable", *units], check=True)
    masked = ("apt-daily.timer", "apt-daily-upgrade.timer", "e2scrub_all.timer", "fstrim.timer",
              "systemd-timesyncd.service", "systemd-networkd.service", "getty@tty1.service",
              "man-db.timer", "dpkg-db-backup.timer")  # fmt: skip
    subprocess.run(["systemctl", f"--root={root}", "-q", "mask", *masked], check=True)
    for left in ("var/lib/apt/lists", "var/cache/apt"):
        shutil.rmtree(root / left)
        (root / left).mkdir()
    for part in ("etc", "var"):  # or the first start looks for what changed in /usr, at length
        (root / part / ".updated").touch()
    (out / "initrd").write_bytes(initrd(root, root / "usr/lib/modules" / version))
    bare = out / "bare"  # without what mmdebstrap has mounted below the root
    bare.mkdir()
    subprocess.run(["mount", "--bind", root, bare], check=True)
    try:
        make_disk(bare, out / "disk.ext4", DISK_BYTES)
    finally:
        subprocess.run(["umount", bare], check=True)
    bare.rmdir()


def make_disk(folder: Path, disk: Path, size_bytes: int) -> None:
    """A file that holds an ext4 file system with what is in `folder`."""
    options = ["-q", "-t", "ext4", "-E", "lazy_itable_init=1,lazy_journal_init=1"]
    with disk.open("wb") as file:
        file.truncate(size_bytes)
    subprocess.run(["mke2fs", *options, "-d", folder, disk], check=True)


def initrd(root: Path, modules: Path) -> bytes:
    """A first RAM disk that loads MODULES and goes over to the disk, as a cpio archive (newc)."""
    needs: dict[str, list[str]] = {}
    for line in (modules / "modules.dep").read_text().splitlines():
        name, _, others = line.partition(":")
        needs[name] = others.split()
    files = {Path(path).name.split(".")[0]: path for path in needs}
    order: list[str] = []
    for module in MODULES:
        if module in files:
            path = files[module]
            # modules.dep names the farthest need last.
            order += [p for p in [*reversed(needs[path]), path] if p not in order]
    entries: list[tuple[str, int, bytes]] = [
        (folder, 0o40755, b"") for folder in ("bin", "dev", "proc", "sys", "root", "modules")
    ]
    entries.append(("init", 0o100755, _INIT.encode()))
    entries.append(("bin/busybox", 0o100755, (root / "usr/bin/busybox").read_bytes()))
    for number, path in enumerate(order):
        data = (modules / path).read_bytes()
        data = lzma.decompress(data) if path.endswith(".xz") else data
        entries.append((f"modules/{number:02}.ko", 0o100644, data))
    entries.append(("TRAILER!!!", 0, b""))
    archive = b""
    for inode, (name, mode, data) in enumerate(entries, 1):
        fields = (inode, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
        head = b"070701" + b"".join(b"%08X" % field for field in fields) + name.encode() + b"\0"
        archive += head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)
    return archive


def main() -> None:
    """The command line, and mmdebstrap's hook."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    match sys.argv[1:]:
        case [arch] if arch in MACHINES:
            log.info("image: %s", ensure(arch))
        case ["--finish", arch, out, root]:
            finish(arch, Path(out), Path(root))
        case _:
            sys.exit(f"expected amd64 or arm64, found: {' '.join(sys.argv[1:]) or 'nothing'}")


if __name__ == "__main__":
    main()
