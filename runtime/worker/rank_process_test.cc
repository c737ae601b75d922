#include "runtime/worker/rank_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "base/file_system.h"
#include "base/mutex.h"
#include "base/temporary_folder.h"
#include "runtime/worker/testing.h"

namespace rm::worker {
namespace {

namespace pb = ::ringmaster::v1;
using Texts = std::vector<std::string>;

constexpr absl::Duration kLong = absl::Seconds(60);  // never reached by a test that passes

// What a rank has said so far.
class Heard {
 public:
  std::function<void(const pb::RankMessage&)> Callback() {
    return [this](const pb::RankMessage& message) {
      pb::WorkerMessage report = Report(Ref("j"));
      *report.mutable_report()->mutable_message() = message;
      base::MutexLock lock(mutex_);
      texts_.push_back(std::string(absl::StripPrefix(TextOf(report), "j/1/0 ")));
      changed_.SignalAll();
    };
  }
  Texts texts() {
    base::MutexLock lock(mutex_);
    return texts_;
  }
  // Waits for the first `count` messages.
  Texts Await(size_t count) {
    base::MutexLock lock(mutex_);
    while (texts_.size() < count) changed_.Wait(mutex_);
    return texts_;
  }

 private:
  base::Mutex mutex_;
  base::CondVar changed_;
  Texts texts_;
};

// Of any process, child or not.
int PidFd(pid_t pid) { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)); }

// Waits for the end of the process behind a pidfd; false when it takes longer than any machine needs.
bool HasEnded(int pidfd) {
  pollfd watched = {pidfd, POLLIN, 0};
  return ::poll(&watched, 1, static_cast<int>(absl::ToInt64Milliseconds(kLong))) == 1;
}

// Starts fake ranks in a folder of its own.
struct Launcher {
  base::TemporaryFolder folder;
  Heard heard;
  RankProcessOptions options;

  Launcher() {
    options.program = "runtime/worker/fake_rank_for_test";
    options.log_folder = folder.File("logs");
  }

  static pb::StartRank Command(const std::string& script, int64_t generation = 1) {
    pb::StartRank command;
    command.add_slots(0);
    pb::RankStart& start = *command.mutable_start();
    *start.mutable_rank() = Ref("job", generation, 2);
    start.set_world_size(4);
    start.set_local_rank(1);
    start.set_local_world_size(3);
    start.set_listen_host("127.0.0.1");
    start.mutable_spec()->set_name(script);
    return command;
  }

  std::unique_ptr<RankProcess> Start(const pb::StartRank& command) {
    auto rank = RankProcess::Start(command, options, heard.Callback());
    REQUIRE(rank.ok());
    return *std::move(rank);
  }
  std::unique_ptr<RankProcess> Start(const std::string& script) { return Start(Command(script)); }

  // The log without its header lines.
  Texts LogLines() const {
    const auto text = base::PosixFileSystem().ReadFile(folder.File("logs/job/rank_2.log"));
    Texts lines;
    for (const auto line : absl::StrSplit(*text, '\n', absl::SkipEmpty())) {
      if (!absl::StartsWith(line, "---")) lines.emplace_back(line);
    }
    return lines;
  }
};

TEST_CASE("a rank is told its start and its peers, speaks, and its end is known") {
  Launcher launcher;
  const auto rank = launcher.Start("listen await-generation joined progress:3 finished:4 exit:0");
  CHECK(launcher.heard.Await(1) == Texts{"listening"});
  CHECK_FALSE(rank->TakeExit(absl::ZeroDuration()).has_value());
  pb::StartGeneration generation;
  generation.set_generation(1);
  generation.add_peers("a:1");
  generation.add_peers("b:2");
  rank->SendGeneration(generation);
  const auto ended = rank->TakeExit(kLong);
  REQUIRE(ended.has_value());
  CHECK(ended->ok());
  CHECK(launcher.heard.texts() == Texts{"listening", "joined", "progress 3", "finished 4"});
  CHECK(launcher.LogLines() == Texts{"generation 1 of a:1,b:2"});
}

TEST_CASE("when the end of a rank is known, all it has said has been heard") {
  Launcher launcher;
  const auto rank = launcher.Start("flood:20000 signal:9");
  CHECK(rank->TakeExit(kLong)->signal == SIGKILL);
  CHECK(launcher.heard.texts().size() == 20000);
  CHECK(launcher.heard.texts().back() == "progress 20000");
}

TEST_CASE("its end is known even when a stray grandchild keeps its socket open") {
  Launcher launcher;
  const auto rank = launcher.Start("leave-child progress:1 exit:1");
  CHECK(rank->TakeExit(kLong)->code == 1);
  CHECK(launcher.heard.texts() == Texts{"progress 1"});
  const Texts words = absl::StrSplit(launcher.LogLines().at(0), ' ');
  REQUIRE(words.at(0) == "child");
  CHECK(::kill(std::stoi(words.at(1)), SIGKILL) == 0);  // its session was its own
}

// As a rank does that has read all there is and now only waits.
void AwaitEnd(int fd) {
  char byte = 0;
  while (::read(fd, &byte, 1) > 0) {
  }
}

// The kernel does it, with nobody left to ask: the worker is killed as by the out-of-memory killer.
TEST_CASE("when a worker is killed its rank dies, and with it what the rank has forked") {
  std::array<int, 2> alive{-1, -1};  // held by the worker; its rank gets no such descriptor
  REQUIRE(::pipe2(alive.data(), O_CLOEXEC) == 0);
  Launcher launcher;
  const pid_t worker = ::fork();
  if (worker == 0) {
    ::close(alive[0]);
    const auto rank = RankProcess::Start(
        Launcher::Command("heirs-die leave-child progress:1 forever"), launcher.options,
        [&](const pb::RankMessage&) {
          if (::write(alive[1], "r", 1) != 1) ::_exit(1);
        });
    for (;;) ::pause();
  }
  ::close(alive[1]);
  char ready = 0;
  REQUIRE(::read(alive[0], &ready, 1) == 1);
  const Texts words = absl::StrSplit(launcher.LogLines().at(0), ' ');
  REQUIRE(words.at(0) == "child");
  const pid_t heir = std::stoi(words.at(1));
  const int heir_fd = PidFd(heir);
  REQUIRE(heir_fd >= 0);
  ::kill(worker, SIGKILL);
  ::waitpid(worker, nullptr, 0);
  AwaitEnd(alive[0]);
  CHECK(HasEnded(heir_fd));  // its parent, the rank, can only be dead as well
  ::close(heir_fd);
  ::close(alive[0]);
}

TEST_CASE("a rank finds its place in its environment") {
  Launcher launcher;
  launcher.options.threads_per_slot = 3;
  pb::StartRank command = Launcher::Command(
      "env:RANK env:WORLD_SIZE env:LOCAL_RANK env:LOCAL_WORLD_SIZE env:MASTER_ADDR env:MASTER_PORT "
      "env:RINGMASTER_JOB_ID env:RINGMASTER_GENERATION env:OMP_NUM_THREADS env:CUDA_VISIBLE_DEVICES "
      "threads",
      7);
  command.add_slots(1);
  command.mutable_start()->set_advertise_host("10.0.0.1");
  const auto rank = launcher.Start(command);
  REQUIRE(rank->TakeExit(kLong)->ok());
  CHECK(launcher.LogLines() ==
        Texts{"RANK=2", "WORLD_SIZE=4", "LOCAL_RANK=1", "LOCAL_WORLD_SIZE=3", "MASTER_ADDR=10.0.0.1",
              "MASTER_PORT=0", "RINGMASTER_JOB_ID=job", "RINGMASTER_GENERATION=7",
              "OMP_NUM_THREADS=6", "CUDA_VISIBLE_DEVICES=", "threads 6"});  // 2 slots of 3
}

TEST_CASE("a list of processes shows whose rank it is") {
  Launcher launcher;
  const auto rank = launcher.Start("listen forever");
  launcher.heard.Await(1);
  std::ifstream file(absl::StrCat("/proc/", rank->pid(), "/cmdline"));
  const std::string line((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const Texts words = absl::StrSplit(line, '\0', absl::SkipEmpty());
  CHECK(words == Texts{"ringmaster", "rank", "--fd", "3", "--job", "job", "--rank", "2"});
}

TEST_CASE("output and errors go to the rank's log, behind a line that says whose they are") {
  Launcher launcher;
  const auto first = launcher.Start("print:out error:err exit:1");
  REQUIRE(first->TakeExit(kLong).has_value());
  const std::string text = first->ReadNewLog(1 << 20);
  CHECK(absl::StartsWith(text, "--- job generation 1 rank 2 of 4, started 20"));
  CHECK(absl::EndsWith(text, "\nout\nerr\n"));
  CHECK(first->log_offset() == static_cast<int64_t>(text.size()));
  CHECK(first->ReadNewLog(1 << 20).empty());

  SECTION("the next generation goes on in the same file, and reads from its own beginning") {
    const auto second = launcher.Start(Launcher::Command("print:more exit:0", 2));
    CHECK(second->log_offset() == static_cast<int64_t>(text.size()));
    REQUIRE(second->TakeExit(kLong).has_value());
    std::string pieces;
    for (std::string piece; !(piece = second->ReadNewLog(10)).empty(); pieces += piece) {
      CHECK(piece.size() <= 10);
    }
    CHECK(absl::StartsWith(pieces, "--- job generation 2 rank 2 of 4"));
    CHECK(absl::EndsWith(pieces, "\nmore\n"));
    CHECK(first->ReadNewLog(1 << 20) == pieces);
  }
}

TEST_CASE("the last lines of a log are whole, few, and readable whatever was printed") {
  const struct {
    std::string script;
    std::string last;  // two lines
  } cases[] = {
      {"print:one print:two print:three", "two\nthree\n"},
      {"fill:9000 print:end", std::string(8192 - 5, 'x') + "\nend\n"},  // cut at the front
      {"hex:ffe282 hex:636166c3a9", "???\ncaf\xc3\xa9\n"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.script);
    Launcher launcher;
    const auto rank = launcher.Start(c.script);
    REQUIRE(rank->TakeExit(kLong).has_value());
    CHECK(rank->LastLogLines(2) == c.last);
  }
  Launcher launcher;
  const auto rank = launcher.Start("print:only");
  REQUIRE(rank->TakeExit(kLong).has_value());
  const std::string all = rank->LastLogLines(50);
  CHECK(absl::StartsWith(all, "--- job"));
  CHECK(absl::EndsWith(all, "\nonly\n"));
}

TEST_CASE("a rank that is asked to stop leaves by itself, with or without a checkpoint") {
  for (const bool checkpoint : {false, true}) {
    Launcher launcher;
    const auto rank = launcher.Start("listen await-stop exit:0");
    launcher.heard.Await(1);
    const absl::Duration now = absl::Hours(5);
    rank->Stop(absl::Seconds(30), checkpoint, now);
    CHECK(rank->kill_at() == now + absl::Seconds(30));
    CHECK(rank->TakeExit(kLong)->ok());
    CHECK(launcher.LogLines() == Texts{checkpoint ? "stop with checkpoint" : "stop"});
  }
}

TEST_CASE("a rank that does not leave is killed when its grace is over, not before") {
  Launcher launcher;
  const auto rank = launcher.Start("listen forever");
  launcher.heard.Await(1);
  CHECK(rank->kill_at() == absl::InfiniteDuration());
  const absl::Duration now = absl::Hours(5);
  rank->Stop(absl::Seconds(30), true, now);
  SECTION("a second stop can bring the end nearer, but not put it off") {
    rank->Stop(absl::Seconds(10), false, now + absl::Seconds(1));
    CHECK(rank->kill_at() == now + absl::Seconds(11));
    rank->Stop(absl::Seconds(60), false, now + absl::Seconds(2));
    CHECK(rank->kill_at() == now + absl::Seconds(11));
  }
  SECTION("with a grace of zero it is killed at once") {
    rank->Stop(absl::ZeroDuration(), false, now);
    CHECK(rank->TakeExit(kLong)->signal == SIGKILL);
  }
  SECTION("its time comes") {
    rank->KillIfOverdue(now + absl::Seconds(29));
    CHECK_FALSE(rank->TakeExit(absl::ZeroDuration()).has_value());
    rank->KillIfOverdue(now + absl::Seconds(30));
    CHECK(rank->kill_at() == absl::InfiniteDuration());  // nothing more to do
    CHECK(rank->TakeExit(kLong)->signal == SIGKILL);
  }
}

TEST_CASE("a rank that takes no commands cannot hold up its worker: it is killed") {
  Launcher launcher;
  launcher.options.send_timeout = absl::Milliseconds(20);
  const auto rank = launcher.Start("listen forever");
  launcher.heard.Await(1);
  pb::StartGeneration generation;
  generation.add_peers(std::string(4 << 20, 'x'));  // more than a socket holds
  rank->SendGeneration(generation);
  CHECK(rank->TakeExit(kLong)->signal == SIGKILL);
}

TEST_CASE("commands to a rank that has ended do no harm") {
  Launcher launcher;
  const auto rank = launcher.Start("exit:3");
  pollfd ended = {rank->pidfd(), POLLIN, 0};
  REQUIRE(::poll(&ended, 1, -1) == 1);
  rank->SendGeneration(pb::StartGeneration());
  rank->Stop(absl::Seconds(1), true, absl::ZeroDuration());
  CHECK(rank->TakeExit(kLong)->code == 3);
  rank->Stop(absl::ZeroDuration(), true, absl::ZeroDuration());
  CHECK(rank->TakeExit(kLong)->code == 3);
}

TEST_CASE("a rank does not outlive its object") {
  Launcher launcher;
  pid_t pid = 0;
  {
    const auto rank = launcher.Start("listen forever");
    launcher.heard.Await(1);
    pid = rank->pid();
  }
  CHECK(::kill(pid, 0) == -1);
  CHECK(errno == ESRCH);
}

TEST_CASE("what keeps a rank from starting is said") {
  Launcher launcher;
  SECTION("no such program") {
    launcher.options.program = "/no/such/program";
    const auto rank = RankProcess::Start(Launcher::Command(""), launcher.options, [](const auto&) {});
    CHECK(rank.status().code() == absl::StatusCode::kNotFound);
    CHECK(absl::StrContains(rank.status().message(), "/no/such/program"));
  }
  SECTION("no folder for its log") {
    REQUIRE(base::WriteFileAtomically(base::PosixFileSystem(), launcher.options.log_folder, "").ok());
    const auto rank = RankProcess::Start(Launcher::Command(""), launcher.options, [](const auto&) {});
    CHECK_FALSE(rank.ok());
    CHECK(absl::StrContains(rank.status().message(), launcher.options.log_folder));
  }
}

}  // namespace
}  // namespace rm::worker
