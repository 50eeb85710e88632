#!/usr/bin/env bash
# Install edge-vision as a service that starts at boot, bring it up to date, or remove it.
#
# The order makes an interrupted run harmless: the new environment is made beside the old one and
# exchanged by renaming a link, every file is renamed into place, and the stamp that says "complete"
# is written last.  Running it again finishes what is missing.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=${EDGE_VISION_INSTALL_ROOT:-} # tests put every path below a folder of theirs
prefix=$root/opt/edge-vision
venv=$prefix/venv
stamp=$prefix/installed
etc=$root/etc/edge-vision
state=$root/var/lib/edge-vision
units=$root/etc/systemd/system
rule=$root/etc/udev/rules.d/10-edge-vision.rules
link=$root/usr/local/bin/edge-vision
python=$root/usr/bin/python3
account=edge-vision
least_free_mb=700
dry_run='' action=install purge='' wheel='' wheelhouse='' release='' stage=''

usage() {
  cat <<'EOF'
Usage: sudo ./systemd/install.sh [OPTION ...]
Installs edge-vision from these sources as a service that starts at boot; run again, it brings the
service up to date.  Your configuration in /etc/edge-vision is kept.

  --dry-run         print every step, change nothing
  --wheel FILE      install this wheel, not the sources
  --wheelhouse DIR  take all packages from this folder, without a network
  --uninstall       remove the service and the program; keep configuration and recordings
  --purge           with --uninstall: remove configuration, recordings and the user as well
EOF
}

say() { printf '%s\n' "$*"; }

die() {
  printf 'install.sh: %s\n' "$*" >&2
  exit 1
}

# Do what changes something; with --dry-run only say it.
run() {
  if [ -n "$dry_run" ]; then
    say "+$(printf ' %q' "$@")"
  else
    "$@"
  fi
}

read_options() {
  while [ $# -gt 0 ]; do
    case $1 in
      --dry-run) dry_run=yes ;;
      --uninstall) action=uninstall ;;
      --purge) purge=yes ;;
      --wheel | --wheelhouse)
        [ -e "${2:-}" ] || die "$1 needs a path that exists, found '${2:-}'; see --help"
        if [ "$1" = --wheel ]; then wheel=$(realpath "$2"); else wheelhouse=$(realpath "$2"); fi
        shift
        ;;
      --help) usage && exit 0 ;;
      *) die "unknown option $1; see --help" ;;
    esac
    shift
  done
  [ -z "$purge" ] || [ "$action" = uninstall ] || die "--purge goes with --uninstall; see --help"
}

# Sets `release`: 12 or 13.
check_system() {
  local ID='' VERSION_ID='' PRETTY_NAME='a system without a name' architecture
  # shellcheck source=/dev/null
  [ ! -r "$root/etc/os-release" ] || . "$root/etc/os-release"
  case $ID-$VERSION_ID in
    debian-12 | debian-13 | raspbian-12 | raspbian-13) release=$VERSION_ID ;;
    *) die "found $PRETTY_NAME; expected Debian or Raspberry Pi OS, 12 or 13" ;;
  esac
  architecture=$(dpkg --print-architecture)
  case $architecture in
    amd64 | arm64) ;;
    *) die "found a system for $architecture; expected arm64 or amd64" \
      "(for a Raspberry Pi 3 or newer there is a 64-bit Raspberry Pi OS)" ;;
  esac
  command -v systemctl >/dev/null || die "found no systemctl; the service needs systemd"
}

check_root() {
  [ -n "$dry_run" ] || [ "$(id -u)" = 0 ] || die "this changes the system and needs root: sudo $0"
  [ ! -d "$etc" ] || [ -r "$etc" ] ||
    die "$etc may not be read, so what would change is not known; look with: sudo $0 --dry-run"
}

one_at_a_time() {
  [ -z "$dry_run" ] || return 0
  exec 9>"$root/run/lock/edge-vision-install"
  flock -n 9 || die "another install.sh is at work; wait for its end"
}

systemd_runs() { [ -d "$root/run/systemd/system" ]; }

missing_packages() {
  local name wanted=(python3-venv ca-certificates)
  ! grep -qs 'Raspberry Pi' "$root/proc/device-tree/model" || wanted+=(python3-picamera2)
  for name in "${wanted[@]}"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] ||
      say "$name"
  done
}

install_packages() {
  local missing && missing=$(missing_packages) && [ -n "$missing" ] || return 0
  run apt-get -q update ||
    die "the package lists cannot be read (see above); run this again when there is a network"
  if [[ $missing == *picamera2* ]] && ! apt-cache show python3-picamera2 >/dev/null 2>&1; then
    say "No package python3-picamera2 here (Raspberry Pi OS has it): no ribbon-cable camera."
    missing=${missing/python3-picamera2/}
  fi
  # Without its recommended packages picamera2 brings no desktop.  Unquoted: one name a line.
  # shellcheck disable=SC2086
  run env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install $missing ||
    die "apt-get cannot install" $missing "(see above); mend that and run this again"
}

make_user() {
  local group groups=''
  getent passwd $account >/dev/null ||
    run useradd --system --user-group --home-dir /var/lib/edge-vision --no-create-home \
      --shell /usr/sbin/nologin $account
  # Cameras, the GPU, an Edge TPU on USB.  Nothing here uses a serial port (dialout).
  for group in video render plugdev; do
    ! getent group $group >/dev/null || groups+=${groups:+,}$group
  done
  [ -z "$groups" ] || run usermod --append --groups "$groups" $account
}

# sources_key CONSTRAINTS OPTIONS: another name when the sources, the versions or Python change.
sources_key() {
  {
    if [ -n "$wheel" ]; then
      cat "$wheel"
    else
      (cd "$here/.." && find edge_vision models config.yaml pyproject.toml -type f \
        ! -path '*/__pycache__/*' -print0 | sort -z | xargs -0 sha256sum)
    fi
    cat "$1"
    say "$2"
    [ ! -x "$python" ] || "$python" --version
  } | sha256sum | cut -c 1-12
}

# Sets `stage`, the folder of the environment.
make_environment() {
  local constraints=$here/constraints-debian$release.txt site='' free_mb
  # libcamera's Python module exists only as a package of the system.
  ! "$python" -I -c 'import libcamera' 2>/dev/null || site=--system-site-packages
  stage=$prefix/venv-$(sources_key "$constraints" "$site")
  [ ! -e "$stage/complete" ] || return 0
  free_mb=$(df --output=avail -BM "$root/opt" | tail -n 1 | tr -dc 0-9)
  [ "$free_mb" -ge $least_free_mb ] ||
    die "$free_mb MB are free for /opt; expected $least_free_mb MB: make room and run this again"
  say "Python environment $stage (a minute or two)"
  run rm -rf "$stage"
  run mkdir -p "$prefix"
  run "$python" -m venv ${site:+"$site"} "$stage"
  # TMPDIR: /tmp may be memory, and a small board has little.
  run env TMPDIR="$stage" "$stage/bin/python" -m pip install --quiet --no-input --no-cache-dir \
    --disable-pip-version-check --root-user-action ignore --constraint "$constraints" \
    ${wheelhouse:+--no-index --find-links "$wheelhouse"} "${wheel:-$(dirname "$here")}" ||
    die "the packages cannot be installed (see above); the service is as it was:" \
      "run this again when that is mended"
  run touch "$stage/complete"
}

# place MODE GROUP SOURCE TARGET: a reader finds the old file or the new one, never half of one.
place() {
  run install -m "$1" "$3" "$4.new"
  run chown "root:$2" "$4.new"
  run mv -f "$4.new" "$4"
}

# folder OWNER MODE PATH: nobody else may look in, for there are passwords and recordings.
folder() {
  run mkdir -p "$3"
  run chown "$1:$account" "$3"
  run chmod "$2" "$3"
}

# The keys of a config.yaml of ours, one a line: model.size
keys_of() {
  awk '/^ *["a-z]/ {
    match($0, /[^ ]/); depth = int(RSTART / 2)
    name[depth] = $1; gsub(/[":]/, "", name[depth])
    path = name[0]; for (i = 1; i <= depth; i++) path = path "." name[i]
    print path
  }' "$1" | sort
}

install_config() {
  local shipped file new reference=$etc/config.yaml.shipped
  # The live page saves what is changed there: the service may replace its own files, and (sticky)
  # nobody else's, such as a password that only root can read.
  folder root 1770 "$etc"
  shipped=$(echo "$stage"/lib/python3*/*/edge_vision/_config.yaml)
  [ -e "$etc/config.yaml" ] || [ -L "$etc/config.yaml" ] ||
    place 640 $account "$shipped" "$etc/config.yaml"
  for file in "$etc"/*.yaml; do
    [ -e "$file" ] || continue
    run "$stage/bin/edge-vision" check-config "$file" ||
      die "this version cannot use $file (see above); the service is as it was:" \
        "mend the file and run this again"
    [ -L "$file" ] || run chown "$account:$account" "$file"
  done
  if [ -e "$reference" ] && [ -e "$shipped" ]; then
    new=$(comm -13 <(keys_of "$reference") <(keys_of "$shipped"))
    [ -z "$new" ] || say "New keys (see $reference): ${new//$'\n'/, }"
  fi
  place 640 $account "$shipped" "$reference"
}

install_program() {
  folder $account 750 "$state"
  run ln -sfn "$(basename "$stage")" "$venv.new"
  run mv -fT "$venv.new" "$venv"
  run mkdir -p "$(dirname "$link")"
  run ln -sfn "$venv/bin/edge-vision" "$link"
}

install_units() {
  run mkdir -p "$units/edge-vision@.service.d" "$(dirname "$rule")"
  place 644 root "$here/edge-vision.service" "$units/edge-vision.service"
  place 644 root "$here/edge-vision.service" "$units/edge-vision@.service"
  place 644 root "$here/instance.conf" "$units/edge-vision@.service.d/10-instance.conf"
  place 644 root "$here/edge-vision.rules" "$rule"
  ! systemd_runs || { run udevadm control --reload && run udevadm trigger -s dma_heap; } ||
    say "udev does not run here: its rule takes effect at the next boot."
  ! systemd_runs || run systemctl daemon-reload
  # Whoever disabled it after a complete installation wants it so.
  [ -e "$stamp" ] || run systemctl enable edge-vision.service
}

enabled_units() {
  find "$units" -path '*.wants/edge-vision*' \
    \( -name edge-vision.service -o -name 'edge-vision@*.service' \) -printf '%f\n'
}

start_units() {
  if systemd_runs; then
    run systemctl try-restart edge-vision.service 'edge-vision@*.service' &&
      enabled_units | while read -r unit; do run systemctl start "$unit" || return 1; done
  else
    say "systemd does not run here: the service starts at the next boot."
  fi
}

do_install() {
  local healthy=yes old
  check_system
  check_root
  one_at_a_time
  install_packages
  make_user
  make_environment
  install_config
  install_program
  install_units
  run env -C "$state" runuser -u $account -- "$venv/bin/edge-vision" doctor || healthy=''
  start_units || die "the service did not start; see why with: journalctl -u edge-vision -n 30"
  for old in "$prefix"/venv-*; do
    [ "$old" = "$stage" ] || [ ! -e "$old" ] || run rm -rf "$old"
  done
  run touch "$stamp"
  [ -n "$healthy" ] || die "it is installed, but the doctor found a fault: mend what fails above"
  say "${dry_run:+Nothing was changed.  }Look with: systemctl status edge-vision"
}

do_uninstall() {
  local unit path
  check_root
  one_at_a_time
  enabled_units | while read -r unit; do run systemctl disable "$unit"; done
  ! systemd_runs || [ ! -e "$units/edge-vision.service" ] ||
    run systemctl stop edge-vision.service 'edge-vision@*.service'
  [ "$(readlink "$link" || true)" != "$venv/bin/edge-vision" ] || run rm "$link"
  run rm -rf "$units/edge-vision.service" "$units/edge-vision@.service" \
    "$units/edge-vision@.service.d/10-instance.conf" "$rule" "$stamp" "$venv" "$prefix"/venv-*
  for path in "$units/edge-vision@.service.d" "$prefix"; do
    [ ! -d "$path" ] || run rmdir --ignore-fail-on-non-empty "$path"
  done
  ! systemd_runs || run systemctl daemon-reload
  if [ -n "$purge" ]; then
    run rm -rf "$etc" "$state"
    ! getent passwd $account >/dev/null || run userdel $account
  else
    say "Kept: $etc, $state and the user $account (--purge removes them), and system packages."
  fi
}

umask 022 # whatever the caller's is: the service's user must read what is installed
read_options "$@"
"do_$action"
