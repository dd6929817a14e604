#!/bin/sh
# Looks for what pip cannot install; installs it where we are root on Debian or Ubuntu.
# Usage: tools/system_packages.sh pdf|browser|office
#   pdf      Pango, for invoices as PDF; its absence is told but stops nothing
#   browser  Chromium and a Chinese font as well, for the browser tests; its absence is an error
#   office   LibreOffice, which reads our spreadsheets in the fuller suite; its absence is an error
set -eu
cd "$(dirname "$0")/.."

pdf_packages="libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
browser_packages="chromium fonts-wqy-microhei $pdf_packages"
office_packages="libreoffice-calc-nogui"

have_pdf() {
    .venv/bin/python -c '
import ctypes, ctypes.util, sys
names = ["pango-1.0", "pangoft2-1.0", "harfbuzz-subset"]
sys.exit(not all(ctypes.util.find_library(name) for name in names))'
}

have_browser() {
    .venv/bin/python tools/find_browser.py >/dev/null 2>&1
}

have_office() {
    command -v soffice >/dev/null
}

have_font() {
    [ -n "$(find /usr/share/fonts /usr/local/share/fonts -iname '*wqy*' -o -iname '*cjk*' 2>/dev/null)" ]
}

apt_install() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
    echo "Installing with apt-get: $*"
    export DEBIAN_FRONTEND=noninteractive
    { apt-get install -y -qq --no-install-recommends "$@" ||
        { apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@"; }
    } >/dev/null 2>&1
}

case $1 in
    pdf)
        have_pdf || apt_install $pdf_packages ||
            echo "PDF files will not be available: install $pdf_packages (apt-get, as root)."
        ;;
    browser)
        have_pdf && have_browser && have_font && exit 0
        # With its languages Chromium writes dates as a Chinese reader sees them.
        apt_install $browser_packages chromium-l10n || apt_install $browser_packages || true
        # On Ubuntu the chromium package is a wrapper that needs snapd.
        have_browser || .venv/bin/playwright install chromium >/dev/null 2>&1 || true
        have_pdf && have_browser && have_font ||
            { echo "The tests need system packages: apt-get install $browser_packages" >&2; exit 1; }
        ;;
    office)
        have_office || apt_install $office_packages || true
        have_office ||
            { echo "The fuller tests need system packages: apt-get install $office_packages" >&2; exit 1; }
        ;;
    *)
        echo "usage: tools/system_packages.sh pdf|browser|office" >&2
        exit 2
        ;;
esac
