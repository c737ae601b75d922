"""Tests of tools/setup with an apt of our own: packages are lines of a file."""

import os
import unittest

from script_case import ScriptCase

# What the script may use beside the fakes; nothing else is found, so that "no sudo" can be tried.
_TOOLS = ["awk", "bash", "cat", "dirname", "env", "flock", "grep", "mktemp", "mkdir", "readlink", "rm",
          "sed", "sleep", "tail", "touch"]


class SetupTest(ScriptCase):

    scripts = ("setup",)

    def setUp(self):
        super().setUp()
        for tool in _TOOLS:
            os.symlink(f"/usr/bin/{tool}", os.path.join(self.bin, tool))
        self.environment["PATH"] = self.bin
        self.installed = os.path.join(self.folder, "installed")
        self.known = os.path.join(self.folder, "known")
        self.fake("dpkg-query", f'while read -r p; do echo "$p installed"; done <{self.installed}')
        self.fake("apt-cache", f'[ -e {self.known} ]')
        self.apt()
        self.fake("id", "echo 0")
        self.packages = self.all_packages()
        self.install(self.packages)

    def apt(self, install="", update=""):
        """An apt-get that installs what is named, unless `install` fails before."""
        body = (f'case "$*" in *update*) {update or ":"}; touch {self.known} ;; *) {install or ":"}\n'
                f'while [ "$1" != --no-install-recommends ]; do shift; done; shift\n'
                f'printf "%s\\n" "$@" >>{self.installed} ;; esac')
        self.fake("apt-get", body)

    def install(self, packages):
        with open(self.installed, "w", encoding="utf-8") as file:
            file.write("".join(package + "\n" for package in packages))

    def all_packages(self):
        self.install([])
        _, _, err = self.run_script("setup", "--no-install")
        return err.split("--no-install-recommends ")[1].split()

    def apt_calls(self):
        return [" ".join(call.split(" ")[-3:]) for call in self.calls() if call.startswith("apt-get")]

    def test_the_list_holds_what_the_build_needs(self):
        for package in ["bazel-bootstrap", "g++", "libgrpc++-dev", "libdnnl-dev", "catch2", "python3-pip"]:
            self.assertIn(package, self.packages)
        self.assertNotIn("clang", self.packages)

    def test_nothing_missing_says_and_does_nothing(self):
        self.assertEqual(self.run_script("setup"), (0, "", ""))
        self.assertEqual(self.run_script("setup", "--no-install"), (0, "", ""))
        self.assertEqual(self.apt_calls(), [])

    def test_a_package_that_is_only_half_there_is_missing(self):
        self.fake("dpkg-query", 'while read -r p; do s=installed; [ $p = catch2 ] && s=config-files; '
                                f'echo "$p $s"; done <{self.installed}')
        self.assertIn(" catch2", self.run_script("setup", "--no-install")[2])

    def test_no_install_names_what_is_missing_and_the_command(self):
        self.install(set(self.packages) - {"catch2", "g++"})
        status, out, err = self.run_script("setup", "--no-install")
        self.assertEqual((status, out), (1, ""))
        self.assertEqual(err, "tools/setup: missing 2 Debian packages, and --no-install was given; run "
                              "as root: apt-get install --no-install-recommends g++ catch2\n")
        self.assertEqual(self.apt_calls(), [])

    def test_names_packages_before_it_installs_them(self):
        self.install(set(self.packages) - {"catch2"})
        open(self.known, "w", encoding="utf-8").close()
        self.apt(install='echo "$DEBIAN_FRONTEND" >>"$LOG"')
        status, _, err = self.run_script("setup")
        self.assertEqual((status, self.apt_calls()), (0, ["--yes --no-install-recommends catch2"]))
        self.assertIn("installs 1 Debian packages and what they need: catch2\n", err)
        self.assertIn("noninteractive", self.calls())

    def test_reads_the_package_lists_anew_only_when_it_must(self):
        self.install(set(self.packages) - {"catch2"})
        self.assertEqual(self.run_script("setup")[0], 0)  # the package is not known
        self.assertEqual([call.split()[0] for call in self.apt_calls()][-1], "--yes")
        self.assertTrue(self.apt_calls()[0].endswith("update"))

    def test_reads_the_package_lists_anew_when_they_are_old(self):
        self.install(set(self.packages) - {"catch2"})
        open(self.known, "w", encoding="utf-8").close()
        once = os.path.join(self.folder, "once")
        self.apt(install=f"[ -e {once} ] || {{ touch {once}; exit 100; }}")
        self.assertEqual(self.run_script("setup")[0], 0)
        self.assertEqual([call.endswith("update") for call in self.apt_calls()], [False, True, False])

    def test_tells_in_one_line_what_apt_complained_of(self):
        self.install(set(self.packages) - {"catch2"})
        for fake in [{"update": "echo 'E: Could not resolve deb.debian.org' >&2; exit 100"},
                     {"install": "echo 'E: Could not resolve deb.debian.org' >&2; exit 100"}]:
            self.apt(**fake)
            status, _, err = self.run_script("setup")
            self.assertEqual(status, 1)
            self.assertIn("apt-get failed: Could not resolve deb.debian.org (is the network there?",
                          err.splitlines()[-1])

    def test_notices_when_apt_only_says_it_succeeded(self):
        self.install(set(self.packages) - {"catch2"})
        self.apt(install="exit 0")
        status, _, err = self.run_script("setup")
        self.assertEqual(status, 1)
        self.assertIn("still missing after the installation: catch2", err)

    def test_uses_sudo_when_it_is_not_root(self):
        self.install(set(self.packages) - {"catch2"})
        self.fake("id", "echo 1000")
        status, _, err = self.run_script("setup")
        self.assertEqual(status, 1)
        self.assertIn("not root and no sudo; run as root: apt-get install", err)
        self.fake("sudo", "exit 1")
        self.assertIn("sudo refused; run as root: apt-get install", self.run_script("setup")[2])
        self.assertEqual(self.apt_calls(), [])
        self.fake("sudo", '[ "$1" = true ] || exec "$@"')
        self.assertEqual(self.run_script("setup")[0], 0)
        self.assertTrue(any(call.startswith("sudo env DEBIAN_FRONTEND=noninteractive apt-get")
                            for call in self.calls()))

    def test_refuses_a_machine_without_apt(self):
        os.unlink(os.path.join(self.bin, "apt-get"))
        status, _, err = self.run_script("setup")
        self.assertEqual(status, 1)
        self.assertIn("no apt-get", err)

    def test_dev_adds_the_tools_of_developers(self):
        self.assertIn(" clang ", self.run_script("setup", "--dev", "--no-install")[2])

    def test_interrupted_it_ends_apt(self):
        self.install(set(self.packages) - {"catch2"})
        for number in self.signals():
            self.apt(update="trap 'kill $!; exit 1' TERM; sleep 60 & echo at >>$LOG; wait")
            status, err = self.interrupt(self.start("setup"), number, "at")
            self.assertEqual((status, err.splitlines()[-1]), (130, "tools/setup: interrupted"))
            os.unlink(self.log)

    def test_refuses_unknown_arguments(self):
        self.assertEqual(self.run_script("setup", "catch2")[0], 2)


if __name__ == "__main__":
    unittest.main()
