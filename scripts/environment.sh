# Sourced by run, test and check: makes or renews the virtual environment in .venv.
#
#   prepare_environment [EXTRA]     EXTRA: extras of pyproject.toml: "test" or "test,browser"
#
# EDGE_VISION_PYTHON names another python3; EDGE_VISION_VENV another folder;
# EDGE_VISION_CONSTRAINTS a pip constraint file.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=${EDGE_VISION_VENV:-$root/.venv}

die() {
  printf '%s\n' "$*" >&2
  exit 1
}

find_python() {
  python=${EDGE_VISION_PYTHON:-python3}
  command -v "$python" >/dev/null || die "There is no $python. Install it with: sudo apt install python3 python3-venv"
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    die "$("$python" --version) is too old: edge-vision needs Python 3.11 or newer. Name another with EDGE_VISION_PYTHON=/path/to/python3"
  "$python" -c 'import ensurepip, venv' 2>/dev/null ||
    die "This python3 cannot make virtual environments. Install what is missing with: sudo apt install python3-venv"
}

# On a Pi, picamera2 and libcamera come from the operating system.  Where that system's numpy is
# version 1 (Bookworm), picamera2's own parts were built for it and break beside numpy 2.
system_options() {
  options=()
  constraints=${EDGE_VISION_CONSTRAINTS:-}
  if "$python" -c 'import libcamera' 2>/dev/null; then
    options+=(--system-site-packages)
    if [ -z "$constraints" ] && "$python" -c 'import numpy, sys; sys.exit(int(numpy.__version__[0]) > 1)' 2>/dev/null; then
      constraints=$root/scripts/constraints-numpy1.txt
    fi
  fi
}

# A window needs the OpenCV build with windows; the two builds must never be installed together.
with_windows() {
  [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] && [ ! -e "$venv/.windows" ] || return 0
  local version
  version=$("$venv/bin/python" -c 'from importlib.metadata import version; print(version("opencv-python-headless"))')
  printf 'There is a display: taking the OpenCV build that can open windows ...\n' >&2
  "$venv/bin/pip" uninstall -q -y opencv-python-headless
  if "$venv/bin/pip" install -q "opencv-python==$version" && "$venv/bin/python" -c 'import cv2'; then
    touch "$venv/.windows"
  else
    printf 'It does not work here (a missing library? try: sudo apt install libgl1 libglib2.0-0); going on without a window.\n' >&2
    "$venv/bin/pip" uninstall -q -y opencv-python
    "$venv/bin/pip" install -q "opencv-python-headless==$version"
    touch "$venv/.windows"
  fi
}

prepare_environment() {
  local extra=${1:-} stamp=$venv/.edge-vision-installed wanted
  find_python
  system_options
  wanted=$(cat "$root/pyproject.toml" ${constraints:+"$constraints"} | sha256sum | cut -c1-16)-${extra:-app}
  # "test" holds everything "app" needs, "test,browser" everything.
  case $(cat "$stamp" 2>/dev/null) in
    "$wanted" | "${wanted%-*}-test,browser") return 0 ;;
    "${wanted%-*}-test") [ "$extra" = test,browser ] || return 0 ;;
  esac
  if [ ! -x "$venv/bin/pip" ]; then
    printf 'Making the virtual environment %s (once; a minute or two) ...\n' "$venv" >&2
    "$python" -m venv "${options[@]}" "$venv" ||
      die "The virtual environment could not be made; see above. Delete $venv and try again."
  fi
  "$venv/bin/pip" install -q ${constraints:+-c "$constraints"} -e "$root${extra:+[$extra]}" ||
    die "Installing failed; see above. With no network, try again when there is one."
  rm -f "$venv/.windows"
  printf '%s\n' "$wanted" >"$stamp"
}
