#include "tools/trainctl/daemon.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "base/file_system.h"
#include "base/temporary_folder.h"

namespace rm::trainctl {
namespace {

// Starts a shell script as a daemon, with its log in `folder`.
Daemon StartScript(const base::TemporaryFolder& folder, const std::string& script) {
  auto daemon = StartDaemon("script", "/bin/sh", {"sh", "-c", script}, folder.File("log"));
  REQUIRE(daemon.ok());
  return *std::move(daemon);
}

// The log, once it ends with `end`.
std::string AwaitLog(const base::TemporaryFolder& folder, const std::string& end) {
  for (;;) {
    const auto text = base::PosixFileSystem().ReadFile(folder.File("log"));
    if (text.ok() && absl::EndsWith(*text, end)) return *text;
    std::this_thread::yield();
  }
}

TEST_CASE("a daemon runs in a session of its own, with its log and nothing else of ours") {
  base::TemporaryFolder folder;
  const int leaked = ::open("/dev/null", O_RDONLY);
  const Daemon daemon = StartScript(
      folder, "ls /proc/self/fd | tr '\\n' ' '; readlink /proc/self/fd/0; echo $$; echo end >&2; "
              "exec sleep 1000");
  const std::string log = AwaitLog(folder, "end\n");
  CHECK(log == absl::StrCat("0 1 2 3 /dev/null\n", daemon.pid, "\nend\n"));  // 3 is ls's own
  CHECK(daemon.name == "script");
  CHECK(daemon.IsAlive());
  CHECK(::getsid(daemon.pid) == daemon.pid);
  CHECK(StopDaemons({daemon}, absl::Seconds(30)).ok());
  CHECK_FALSE(daemon.IsAlive());
  ::close(leaked);
}

TEST_CASE("a log goes on where it ended") {
  base::TemporaryFolder folder;
  for (const char* script : {"echo one", "echo two"}) {
    const Daemon daemon = StartScript(folder, script);
    ::waitpid(daemon.pid, nullptr, 0);
  }
  CHECK(AwaitLog(folder, "two\n") == "one\ntwo\n");
}

TEST_CASE("a program that does not exist is an error that names it") {
  base::TemporaryFolder folder;
  const auto daemon = StartDaemon("d", "/no/such/program", {"p"}, folder.File("log"));
  CHECK_FALSE(daemon.ok());
  CHECK(absl::StrContains(daemon.status().message(), "/no/such/program"));
}

TEST_CASE("all are asked to end, and who does not is killed when the grace is over") {
  base::TemporaryFolder polite_folder, stubborn_folder;
  const Daemon polite =
      StartScript(polite_folder, "trap 'echo bye; exit' TERM; echo up; while :; do sleep 0.01; done");
  const Daemon stubborn =
      StartScript(stubborn_folder, "trap '' TERM; echo up; while :; do sleep 0.01; done");
  AwaitLog(polite_folder, "up\n");
  AwaitLog(stubborn_folder, "up\n");
  CHECK(StopDaemons({stubborn, polite}, absl::Milliseconds(300)).ok());
  CHECK_FALSE(polite.IsAlive());
  CHECK_FALSE(stubborn.IsAlive());
  CHECK(AwaitLog(polite_folder, "bye\n") == "up\nbye\n");
}

TEST_CASE("stopping what does not run is done at once") {
  CHECK(StopDaemons({}, absl::InfiniteDuration()).ok());
  base::TemporaryFolder folder;
  const Daemon daemon = StartScript(folder, "exit 0");
  ::waitpid(daemon.pid, nullptr, 0);
  CHECK_FALSE(daemon.IsAlive());
  CHECK(StopDaemons({daemon}, absl::Hours(1)).ok());
}

TEST_CASE("a process that was given the pid of a daemon is not taken for it") {
  base::TemporaryFolder folder;
  const Daemon daemon = StartScript(folder, "exec sleep 1000");
  Daemon stale = daemon;
  stale.start_ticks -= 1;  // started earlier, ended since; the pid is another process's now
  CHECK_FALSE(stale.IsAlive());
  CHECK(StopDaemons({stale}, absl::ZeroDuration()).ok());
  CHECK(daemon.IsAlive());
  CHECK(StopDaemons({daemon}, absl::Seconds(30)).ok());
  CHECK_FALSE((Daemon{"never", 1 << 22, 7}).IsAlive());
  CHECK_FALSE((Daemon{"unknown", ::getpid(), 0}).IsAlive());
}

TEST_CASE("a zombie does not run") {
  base::TemporaryFolder folder;
  const Daemon daemon = StartScript(folder, "exit 0");
  siginfo_t info{};
  REQUIRE(::waitid(P_PID, static_cast<id_t>(daemon.pid), &info, WEXITED | WNOWAIT) == 0);
  CHECK_FALSE(daemon.IsAlive());
  ::waitpid(daemon.pid, nullptr, 0);
}

TEST_CASE("the list of daemons is read back as it was written") {
  const std::vector<Daemon> daemons = {{"coordinator", 100, 5}, {"worker-1", 101, 123456789012}};
  const std::string text = FormatDaemons(daemons);
  CHECK(text == "coordinator 100 5\nworker-1 101 123456789012\n");
  const std::vector<Daemon> read = ParseDaemons(text);
  REQUIRE(read.size() == 2);
  CHECK(read[1].name == "worker-1");
  CHECK(read[1].pid == 101);
  CHECK(read[1].start_ticks == 123456789012);
}

TEST_CASE("damaged lines of the list are left out, so that no wrong process is ever signalled") {
  for (const char* damaged : {"", "\n", "coordinator", "coordinator 100", "a 100 5 6", "a x 5",
                              "a 100 x", "a 0 5", "a 1 5", "a -5 5", "a 100 -1"}) {
    CAPTURE(damaged);
    CHECK(ParseDaemons(damaged).empty());
    CHECK(ParseDaemons(absl::StrCat(damaged, "\nworker-1 7 7\n")).size() == 1);
  }
}

}  // namespace
}  // namespace rm::trainctl
