#include "runtime/worker/worker_loop.h"

#include <signal.h>
#include <sys/wait.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <cerrno>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/file_system.h"
#include "base/temporary_folder.h"
#include "runtime/worker/testing.h"

namespace rm::worker {
namespace {

namespace pb = ::ringmaster::v1;
using Texts = std::vector<std::string>;

pb::WorkerCommand StartCommand(const pb::RankRef& rank, const std::string& script) {
  pb::WorkerCommand command;
  pb::RankStart& start = *command.mutable_start_rank()->mutable_start();
  *start.mutable_rank() = rank;
  start.set_world_size(1);
  start.mutable_spec()->set_name(script);
  return command;
}

pb::WorkerCommand StopCommand(const pb::RankRef& rank, double grace, bool checkpoint = false) {
  pb::WorkerCommand command;
  *command.mutable_stop_rank()->mutable_rank() = rank;
  command.mutable_stop_rank()->set_grace_seconds(grace);
  command.mutable_stop_rank()->set_checkpoint(checkpoint);
  return command;
}

pb::WorkerCommand GenerationCommand(const std::string& job, int64_t generation) {
  pb::WorkerCommand command;
  command.mutable_start_generation()->set_job_id(job);
  command.mutable_start_generation()->set_generation(generation);
  command.mutable_start_generation()->add_peers("a:1");
  return command;
}

// A loop that runs, with fake ranks, until the end of the test.
class World {
 public:
  explicit World(absl::Duration dump_timeout = absl::Milliseconds(300)) {
    options_.ranks.program = "runtime/worker/fake_rank_for_test";
    options_.ranks.log_folder = folder_.File("logs");
    options_.ranks.dump_timeout = dump_timeout;
    options_.life_file = folder_.File("lives");
    options_.oom_counter = [this] { return std::optional<int64_t>(oom_kills_); };
    loop_ = std::make_unique<WorkerLoop>(
        options_, outbox_, [](const pb::PreflightRequest&) { return Texts{"as always"}; });
    thread_ = std::thread([this] { loop_->Run(); });
  }
  ~World() { Quit(); }

  void Quit() {
    if (!thread_.joinable()) return;
    loop_->Quit();
    thread_.join();
  }
  void Post(const pb::WorkerCommand& command) { loop_->Post(command); }

  // The next message that is no piece of a log; those are gathered in logs.
  pb::WorkerMessage Next() {
    for (;;) {
      auto message = outbox_.Pop(absl::InfiniteDuration());
      if (!message->has_log()) return *message;
      logs_.push_back(message->log());
    }
  }
  std::string NextText() { return TextOf(Next()); }
  Texts NextTexts(int count) {
    Texts texts;
    for (int i = 0; i < count; ++i) texts.push_back(NextText());
    return texts;
  }

  [[nodiscard]] const std::vector<pb::LogChunk>& logs() const { return logs_; }
  [[nodiscard]] const base::TemporaryFolder& folder() const { return folder_; }
  Outbox& outbox() { return outbox_; }
  // Waits until the process that the only rank is has stopped.
  void AwaitStopped() {
    siginfo_t info = {};
    REQUIRE(::waitid(P_ALL, 0, &info, WSTOPPED | WNOWAIT) == 0);
  }
  // The kernel has killed one more process for want of memory.
  void CountOomKill() { ++oom_kills_; }

 private:
  base::TemporaryFolder folder_;
  WorkerLoopOptions options_;
  std::atomic<int64_t> oom_kills_{7};
  Outbox outbox_;
  std::vector<pb::LogChunk> logs_;
  std::unique_ptr<WorkerLoop> loop_;
  std::thread thread_;
};

TEST_CASE("a rank is started, told its peers, and what it says is passed on with its end") {
  World world;
  world.Post(StartCommand(Ref("a"), "listen await-generation joined progress:5 finished:5"));
  CHECK(world.NextText() == "a/1/0 listening");
  world.Post(GenerationCommand("a", 2));  // of another generation: not for it
  world.Post(GenerationCommand("b", 1));  // of another job
  world.Post(GenerationCommand("a", 1));
  CHECK(world.NextTexts(3) == Texts{"a/1/0 joined", "a/1/0 progress 5", "a/1/0 finished 5"});
  const pb::WorkerMessage end = world.Next();
  CHECK(TextOf(end) == "a/1/0 exit 0");
  CHECK(end.exited().step() == 5);
  CHECK(end.exited().last_log_lines().empty());
}

TEST_CASE("a start that is repeated starts nothing") {
  World world;
  world.Post(StartCommand(Ref("a"), "listen await-stop exit:3"));
  CHECK(world.NextText() == "a/1/0 listening");
  SECTION("while the rank runs") {
    world.Post(StartCommand(Ref("a"), "listen"));
    world.Post(StopCommand(Ref("a"), 60));
    CHECK(world.NextText() == "a/1/0 exit 3");
  }
  SECTION("after it has ended: its end is told again") {
    world.Post(StopCommand(Ref("a"), 60));
    CHECK(world.NextText() == "a/1/0 exit 3");
    world.Post(StartCommand(Ref("a"), "listen"));
    CHECK(world.NextText() == "a/1/0 exit 3");
  }
  SECTION("but the next generation is another rank") {
    world.Post(StartCommand(Ref("a", 2), "listen exit:0"));
    CHECK(world.NextTexts(2) == Texts{"a/2/0 listening", "a/2/0 exit 0"});
  }
}

TEST_CASE("a rank is on record as soon as it is started, before it says anything") {
  World world;
  world.Post(StartCommand(Ref("quiet"), "forever"));
  world.Post(StartCommand(Ref("loud"), "listen forever"));
  CHECK(world.NextText() == "loud/1/0 listening");  // commands are taken in order
  const std::vector<pb::RankRef> running = world.outbox().Replay();
  REQUIRE(running.size() == 2);
  CHECK(running[1].job_id() == "quiet");
}

TEST_CASE("a stop gives a rank its grace to write a checkpoint and leave") {
  World world;
  world.Post(StartCommand(Ref("a"), "listen await-stop committed:7 finished:7 exit:0"));
  CHECK(world.NextText() == "a/1/0 listening");
  world.Post(StopCommand(Ref("a"), 60, true));
  CHECK(world.NextTexts(3) ==
        Texts{"a/1/0 committed 7", "a/1/0 finished 7", "a/1/0 exit 0"});
  CHECK(absl::EndsWith(world.logs().back().data(), "stop with checkpoint\n"));
}

TEST_CASE("a rank that does not leave within its grace is killed") {
  World world;
  world.Post(StartCommand(Ref("a"), "listen forever"));
  CHECK(world.NextText() == "a/1/0 listening");
  const absl::Duration begin = base::RealClock().Monotonic();
  const bool at_once = GENERATE(false, true);
  world.Post(StopCommand(Ref("a"), at_once ? 0 : 0.05));
  CHECK(world.Next().exited().signal() == SIGKILL);
  if (!at_once) CHECK(base::RealClock().Monotonic() - begin >= absl::Milliseconds(50));
}

TEST_CASE("stopping a rank that is not here tells that it is gone") {
  World world;
  world.Post(StopCommand(Ref("never"), 1));
  CHECK(world.NextText() == "never/1/0 exit 0 NotRunning");
  SECTION("of one that has ended, how it ended") {
    world.Post(StartCommand(Ref("ended"), "signal:6"));
    CHECK(world.Next().exited().signal() == SIGABRT);
    world.Post(StopCommand(Ref("ended"), 0));
    CHECK(world.Next().exited().signal() == SIGABRT);
  }
}

TEST_CASE("the end of a rank that failed carries what it said last") {
  World world;
  world.Post(StartCommand(Ref("a"), "print:before failed:NonFiniteGradient error:alas exit:1"));
  CHECK(world.NextText() == "a/1/0 failed NonFiniteGradient");
  const pb::WorkerMessage end = world.Next();
  CHECK(TextOf(end) == "a/1/0 exit 1 NonFiniteGradient");
  CHECK(end.exited().cause().sentence() == "as the test asked");
  CHECK(end.exited().step() == 9);
  CHECK(absl::EndsWith(end.exited().last_log_lines(), "\nbefore\nalas\n"));
}

TEST_CASE("the end of a rank that died without a word carries its signal, step and last lines") {
  World world;
  world.Post(StartCommand(Ref("a"), "progress:41 hex:6f6fff70 signal:11"));
  CHECK(world.NextText() == "a/1/0 progress 41");
  const pb::WorkerMessage end = world.Next();
  CHECK(end.exited().signal() == SIGSEGV);
  CHECK(end.exited().exit_code() == 0);
  CHECK(end.exited().step() == 41);
  CHECK(end.exited().cause().code().empty());
  CHECK(absl::EndsWith(end.exited().last_log_lines(), "\noo?p\n"));
  pb::WorkerMessage parsed;  // it can be sent: what the rank printed is no UTF-8
  CHECK(parsed.ParseFromString(end.SerializeAsString()));
}

// Of what the worker knows of the end of a rank that said nothing itself.
TEST_CASE("a rank killed for want of memory is told apart from one that somebody killed") {
  World world;
  world.Post(StartCommand(Ref("a"), "progress:41 await-stop signal:9"));
  CHECK(world.NextText() == "a/1/0 progress 41");
  SECTION("the kernel has counted a kill") {
    world.CountOomKill();
    world.Post(StopCommand(Ref("a"), 60));  // the rank's word to end as it does
    const pb::WorkerMessage end = world.Next();
    CHECK(end.exited().signal() == SIGKILL);
    CHECK(end.exited().cause().code() == "OutOfMemory");
    CHECK_THAT(end.exited().cause().sentence(), Catch::StartsWith("most probably by the kernel"));
    CHECK_THAT(end.exited().cause().sentence(), Catch::Matches(".*it used up to [0-9.]+ [KMG]iB: "
                                                               "lower train.global_batch_size.*"));
    CHECK(end.exited().step() == 41);
  }
  SECTION("it has not") {
    world.Post(StopCommand(Ref("a"), 60));
    const pb::WorkerMessage end = world.Next();
    CHECK(end.exited().signal() == SIGKILL);
    CHECK(end.exited().cause().code().empty());
  }
  SECTION("it has, but we killed this one ourselves") {
    world.CountOomKill();
    world.Post(StopCommand(Ref("a"), 0));
    const pb::WorkerMessage end = world.Next();
    CHECK(end.exited().signal() == SIGKILL);
    CHECK(end.exited().cause().code().empty());
  }
}

TEST_CASE("each way to die is told as it was") {
  struct Case {
    const char* script;
    int code;
    int signal;
  };
  const Case cases[] = {{"exit:0", 0, 0},          {"exit:3", 3, 0},
                        {"abort", 0, SIGABRT},     {"signal:11", 0, SIGSEGV},
                        {"signal:9", 0, SIGKILL},  {"signal:15", 0, SIGTERM},
                        {"signal:7", 0, SIGBUS}};
  World world;
  for (const Case& c : cases) {
    INFO(c.script);
    world.Post(StartCommand(Ref(c.script), c.script));
    const pb::WorkerMessage end = world.Next();
    CHECK(end.exited().exit_code() == c.code);
    CHECK(end.exited().signal() == c.signal);
    CHECK(end.exited().cause().code().empty());
  }
}

pb::WorkerCommand HungCommand(const pb::RankRef& rank) {
  pb::WorkerCommand command = StopCommand(rank, 0);
  command.mutable_stop_rank()->set_dump_stack(true);
  command.mutable_stop_rank()->mutable_reason()->set_code("RankHung");
  command.mutable_stop_rank()->mutable_reason()->set_sentence("rank 0 stands still at step 4");
  return command;
}

TEST_CASE("a rank that hangs writes its stacks, and is gone; both are in its end and in its log") {
  World world;
  world.Post(StartCommand(Ref("a"), "stacks progress:4 forever"));
  CHECK(world.NextText() == "a/1/0 progress 4");
  world.Post(HungCommand(Ref("a")));
  world.Post(HungCommand(Ref("a")));  // twice is once
  world.Post(StopCommand(Ref("a"), 0));  // with its gang: its stacks are waited for all the same
  const pb::WorkerMessage end = world.Next();
  CHECK(end.exited().signal() == SIGKILL);
  CHECK(end.exited().step() == 4);
  CHECK(end.exited().cause().code() == "RankHung");
  CHECK(end.exited().cause().sentence() ==
        "rank 0 stands still at step 4; its stacks are in its log");
  CHECK_THAT(end.exited().last_log_lines(), Catch::StartsWith("--- stacks of process "));
  CHECK_THAT(end.exited().last_log_lines(), Catch::Contains("#0 "));
  CHECK_THAT(end.exited().last_log_lines(), Catch::EndsWith("--- end of stacks\n"));
  CHECK_THAT(world.logs().back().data(), Catch::EndsWith("--- end of stacks\n"));
}

TEST_CASE("a rank that hangs and writes no stacks is killed all the same, and its end says why") {
  struct Case {
    const char* script;
    const char* says;
  };
  const Case cases[] = {
      {"deaf progress:1 forever", "; it wrote no stack within 300ms (state S)"},
      {"half-stacks progress:1 forever", "; it wrote no stack within 300ms (state S)"},
      {"progress:1 stop-self forever",
       "; its process is stopped (state T), so its stack could not be taken"},
  };
  for (const Case& c : cases) {
    INFO(c.script);
    World world;
    world.Post(StartCommand(Ref("a"), c.script));
    CHECK(world.NextText() == "a/1/0 progress 1");
    if (absl::StrContains(c.script, "stop-self")) world.AwaitStopped();
    world.Post(HungCommand(Ref("a")));
    const pb::WorkerMessage end = world.Next();
    CHECK(end.exited().signal() == SIGKILL);
    CHECK(end.exited().cause().sentence() == absl::StrCat("rank 0 stands still at step 4", c.says));
    if (absl::StartsWith(c.script, "half")) {
      CHECK_THAT(end.exited().last_log_lines(), Catch::EndsWith("#0 Half\n"));
    }
  }
}

TEST_CASE("while one rank writes its stacks the others are served") {
  World world(absl::Hours(1));
  world.Post(StartCommand(Ref("hangs"), "deaf progress:1 forever"));
  CHECK(world.NextText() == "hangs/1/0 progress 1");
  world.Post(HungCommand(Ref("hangs")));
  world.Post(StartCommand(Ref("other"), "progress:1 exit:0"));
  CHECK(world.NextTexts(2) == Texts{"other/1/0 progress 1", "other/1/0 exit 0"});
}

TEST_CASE("the next worker in the same folder reports how the ranks of this one ended") {
  base::TemporaryFolder folder;
  WorkerLoopOptions options;
  options.ranks.program = "runtime/worker/fake_rank_for_test";
  options.ranks.log_folder = folder.File("logs");
  options.life_file = folder.File("lives");
  const auto no_preflight = [](const pb::PreflightRequest&) { return Texts(); };
  {
    Outbox outbox;
    WorkerLoop loop(options, outbox, no_preflight);
    std::thread thread([&] { loop.Run(); });
    loop.Post(StartCommand(Ref("ended"), "progress:3 error:alas exit:1"));
    loop.Post(StartCommand(Ref("ran"), "progress:3 forever"));
    for (bool ended = false, ran = false; !ended || !ran;) {
      const std::string text = TextOf(*outbox.Pop(absl::InfiniteDuration()));
      ended = ended || text == "ended/1/0 exit 1";
      ran = ran || text == "ran/1/0 progress 3";
    }
    loop.Quit();
    thread.join();
  }
  Outbox outbox;
  WorkerLoop next(options, outbox, no_preflight);
  const auto ended = outbox.Pop(absl::ZeroDuration());
  CHECK(TextOf(*ended) == "ended/1/0 exit 1");
  CHECK(ended->exited().step() == 3);
  CHECK_THAT(ended->exited().last_log_lines(), Catch::EndsWith("alas\n"));
  CHECK(TextOf(*outbox.Pop(absl::ZeroDuration())) == "ran/1/0 exit 0 WorkerDied");
  CHECK(outbox.Replay().size() == 2);  // and a Hello names them
}

TEST_CASE("a rank that cannot be started is refused with the reason, and only once") {
  World world;
  const std::string logs = world.folder().File("logs");
  REQUIRE(base::WriteFileAtomically(base::PosixFileSystem(), logs, "a file, no folder").ok());
  world.Post(StartCommand(Ref("a"), "listen"));
  const pb::WorkerMessage refused = world.Next();
  CHECK(TextOf(refused) == "a/1/0 refused");
  CHECK(refused.refused().cause().code() == "StartFailed");
  CHECK(absl::StrContains(refused.refused().cause().sentence(), logs));
  REQUIRE(base::PosixFileSystem().RemoveAll(logs).ok());
  world.Post(StartCommand(Ref("a"), "listen"));
  CHECK(world.NextText() == "a/1/0 refused");
}

TEST_CASE("a log is passed on byte for byte, with offsets that join, before the end is told") {
  World world;
  world.Post(StartCommand(Ref("a"), "print:one fill:700000 print:two exit:0"));
  CHECK(world.NextText() == "a/1/0 exit 0");
  std::string text;
  for (const pb::LogChunk& chunk : world.logs()) {
    CHECK(chunk.offset() == static_cast<int64_t>(text.size()));
    text += chunk.data();
  }
  CHECK(world.logs().size() >= 3);  // of 256 KiB at most
  CHECK(text == *base::PosixFileSystem().ReadFile(world.folder().File("logs/a/rank_0.log")));
  CHECK(absl::EndsWith(text, "\ntwo\n"));
}

TEST_CASE("a log is passed on while its rank runs") {
  World world;
  world.Post(StartCommand(Ref("a"), "print:hello forever"));
  std::string text;
  while (!absl::EndsWith(text, "hello\n")) {
    const auto message = world.outbox().Pop(absl::InfiniteDuration());
    REQUIRE(message->has_log());
    text += message->log().data();
  }
}

TEST_CASE("a preflight is answered") {
  World world;
  pb::WorkerCommand command;
  command.mutable_preflight()->set_job_id("a");
  world.Post(command);
  const pb::WorkerMessage answer = world.Next();
  CHECK(answer.preflight().job_id() == "a");
  CHECK(answer.preflight().errors(0) == "as always");
}

TEST_CASE("several ranks run side by side and end each by itself") {
  World world;
  for (int rank = 0; rank < 8; ++rank) {
    world.Post(StartCommand(Ref("a", 1, rank), absl::StrCat("listen await-stop exit:", rank)));
  }
  world.NextTexts(8);
  for (int rank = 7; rank >= 0; --rank) {
    world.Post(StopCommand(Ref("a", 1, rank), 60));
    CHECK(world.NextText() == absl::StrCat("a/1/", rank, " exit ", rank));
  }
}

TEST_CASE("at its end the loop kills every rank and closes the outbox without a word on it") {
  World world;
  for (int rank = 0; rank < 3; ++rank) {
    world.Post(StartCommand(Ref("a", 1, rank), "listen forever"));
    CHECK(world.NextText() == absl::StrCat("a/1/", rank, " listening"));
  }
  world.Quit();
  CHECK(world.outbox().closed());
  CHECK_FALSE(world.outbox().Pop(absl::ZeroDuration()).has_value());
  // Nothing is left: not even a zombie.
  CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);
  CHECK(errno == ECHILD);
}

}  // namespace
}  // namespace rm::worker
