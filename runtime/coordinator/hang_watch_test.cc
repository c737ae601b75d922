// Ranks that say the same again and again, or nothing, on a simulated clock. The states come out of
// the scheduler itself.
#include "runtime/coordinator/hang_watch.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/random.h"
#include "scheduler/core/event_testing.h"
#include "scheduler/core/scheduler.h"

namespace rm::coordinator {
namespace {

namespace pb = ::ringmaster::v1;
namespace testing = scheduler::testing;

using absl::Milliseconds;
using absl::Minutes;
using absl::Seconds;
using testing::Ref;

pb::RankMessage Doing(const std::string& doing, int64_t step, int64_t entered, int64_t left) {
  pb::RankMessage message;
  message.mutable_activity()->set_step(step);
  message.mutable_activity()->set_entered(entered);
  message.mutable_activity()->set_left(left);
  message.mutable_activity()->set_doing(doing);
  return message;
}

// Job "a" with a rank on each of the workers w0, w1 …, in a scheduler; and the watch over it.
class World {
 public:
  explicit World(int ranks, double hang_after = 60)
      : scheduler_(*scheduler::Scheduler::Create(scheduler::SchedulerOptions())) {
    for (int i = 0; i < ranks; ++i) Tell(testing::Attach(absl::StrCat("w", i), 1));
    pb::Event submit = testing::Submit("a", ranks);
    submit.mutable_submit()->mutable_spec()->mutable_scheduling()->set_hang_after(hang_after);
    Tell(submit);
  }

  void Tell(const pb::Event& event) {
    scheduler_->Step({event}, absl::FromUnixSeconds(1000) + now_);
  }
  void Listen() {
    for (int i = 0; i < job().world_size(); ++i) Tell(testing::Listening(Of(i)));
  }
  void Run() {
    Listen();
    for (int i = 0; i < job().world_size(); ++i) Tell(testing::Joined(Of(i)));
  }

  // What rank `rank` says twice a second from now on.
  void Says(int rank, const pb::RankMessage& message) { says_[rank] = message; }
  void IsSilent(int rank) { says_.erase(rank); }

  // Checks every 200 ms. Hears what the ranks say every 400 ms.
  void RunFor(absl::Duration duration) {
    for (const absl::Duration end = now_ + duration; now_ < end;) {
      now_ += Milliseconds(200);
      heard_ = !heard_;
      for (const auto& [rank, message] : says_) {
        if (heard_) watch_.OnReport(Of(rank), message, now_);
      }
      Check();
    }
  }
  void Check() {
    for (const pb::Event& event : watch_.Check(scheduler_->state(), now_)) {
      REQUIRE(event.has_rank_hung());
      hung_.push_back(event.rank_hung());
      hung_at_.push_back(now_);
    }
  }
  void Sleep(absl::Duration duration) { now_ += duration; }

  pb::RankRef Of(int rank) const { return Ref("a", job().generation, rank); }
  const scheduler::Job& job() const { return *scheduler_->state().FindJob("a"); }
  HangWatch& watch() { return watch_; }
  absl::Duration now() const { return now_; }
  const std::vector<pb::RankHung>& hung() const { return hung_; }
  absl::Duration hung_at() const { return hung_at_.front(); }
  // The first hang as one line: "1 RankHung: …"; empty: none.
  std::string First() const {
    if (hung_.empty()) return "";
    const pb::RankHung& hung = hung_.front();
    return absl::StrCat(hung.rank().rank(), " ", hung.cause().code(), ": ",
                        hung.cause().sentence());
  }

 private:
  std::unique_ptr<scheduler::Scheduler> scheduler_;
  HangWatch watch_;
  absl::Duration now_ = Seconds(100);
  std::map<int, pb::RankMessage> says_;
  bool heard_ = false;  // every other time
  std::vector<pb::RankHung> hung_;
  std::vector<absl::Duration> hung_at_;
};

// ---- ranks that stand still ---------------------------------------------------------------------

// What each rank of a running gang says for a long time, and what is made of it.
struct Still {
  std::string name;
  std::vector<pb::RankMessage> says;  // by rank; MESSAGE_NOT_SET: nothing at all
  int after_seconds;                  // 0: never, within two hours
  std::string hung;
};

TEST_CASE("who is blamed when nothing goes on") {
  const pb::RankMessage nothing;
  const std::vector<Still> cases = {
      {"one has not entered the collective in which its peers wait",
       {Doing("step", 57, 912, 911), Doing("step", 57, 911, 911), Doing("step", 57, 912, 911)},
       60,
       "1 RankHung: rank 1 of job a on host h-w1 (worker w1) has not entered collective 912, after "
       "step 57, doing: step, without progress for 1m 01s; rank 0 has waited in collective 912 for "
       "1m 01s"},
      {"of two that are behind, the one that is farthest",
       {Doing("step", 57, 912, 911), Doing("step", 57, 911, 910), Doing("step", 56, 909, 909)},
       60,
       "2 RankHung: rank 2 of job a on host h-w2 (worker w2) has not entered collective 910, after "
       "step 56, doing: step, without progress for 1m 01s; rank 0 has waited in collective 912 for "
       "1m 01s"},
      {"all that are equally far behind are named, the first is reported",
       {Doing("step", 5, 11, 11), Doing("step", 5, 12, 11), Doing("step", 5, 11, 11)},
       60,
       "0 RankHung: rank 0 of job a on host h-w0 (worker w0), rank 2 of job a on host h-w2 (worker "
       "w2) have not entered collective 12, after step 5, doing: step, without progress for 1m "
       "01s; "
       "rank 1 has waited in collective 12 for 1m 01s"},
      {"one stands in a collective that all others have left",
       {Doing("step", 57, 912, 911), Doing("step", 57, 911, 910), Doing("step", 57, 912, 911)},
       60,
       "1 RankHung: rank 1 of job a on host h-w1 (worker w1) stands in collective 911, after step "
       "57, doing: step, without progress for 1m 01s; rank 0 has waited in collective 912 for 1m "
       "01s"},
      {"all are in the same collective: the gang, and no rank",
       {Doing("step", 57, 912, 911), Doing("step", 57, 912, 911)},
       60,
       "0 GangStandsStill: the gang of job a stands still: 2 ranks on workers w0, w1 in collective "
       "912, after step 57, for 1m 01s; none is ahead or behind, so no rank is to blame"},
      {"nobody is in a collective: a step may take long",
       {Doing("step", 57, 911, 911), Doing("step", 57, 911, 911)},
       0,
       ""},
      {"a job of one rank: nobody waits for it", {Doing("step", 57, 911, 911)}, 0, ""},
      {"one loads data while the others wait",
       {Doing("step", 0, 1, 0), Doing("loading", 0, 0, 0)},
       0,
       ""},
      {"one compiles while the others wait",
       {Doing("step", 0, 1, 0), Doing("compiling", 0, 0, 0)},
       0,
       ""},
      {"one is in its first step while the others wait",
       {Doing("step", 0, 1, 0), Doing("first step", 0, 0, 0)},
       0,
       ""},
      {"all are in their first step",
       {Doing("first step", 0, 1, 0), Doing("first step", 0, 1, 0)},
       0,
       ""},
      {"one evaluates: ten times as long",
       {Doing("evaluation", 57, 912, 911), Doing("evaluation", 57, 911, 911)},
       600,
       "1 RankHung: rank 1 of job a on host h-w1 (worker w1) has not entered collective 912, after "
       "step 57, doing: evaluation, without progress for 10m 01s; rank 0 has waited in collective "
       "912 for 10m 01s"},
      {"one writes a checkpoint: ten times as long, too",
       {Doing("checkpoint", 57, 911, 911), Doing("step", 57, 912, 911)},
       600,
       "0 RankHung: rank 0 of job a on host h-w0 (worker w0) has not entered collective 912, after "
       "step 57, doing: checkpoint, without progress for 10m 01s; rank 1 has waited in collective "
       "912 for 10m 01s"},
      {"nothing comes from one",
       {Doing("step", 57, 912, 911), nothing},
       60,
       "1 RankHung: rank 1 of job a on host h-w1 (worker w1) is silent: nothing has come from its "
       "process for 1m 00s, though its worker answers; it said last: after step 0"},
      {"nothing comes from anyone",
       {nothing, nothing, nothing, nothing, nothing, nothing},
       60,
       "0 RankHung: rank 0 of job a on host h-w0 (worker w0), rank 1 of job a on host h-w1 (worker "
       "w1), rank 2 of job a on host h-w2 (worker w2), rank 3 of job a on host h-w3 (worker w3) "
       "and 2 more are silent: nothing has come from the first for 1m 00s, though its worker "
       "answers; it said last: after step 0"},
  };
  for (const Still& still : cases) {
    World world(static_cast<int>(still.says.size()));
    world.Run();
    for (size_t i = 0; i < still.says.size(); ++i) {
      const bool speaks = still.says[i].message_case() != pb::RankMessage::MESSAGE_NOT_SET;
      if (speaks) world.Says(static_cast<int>(i), still.says[i]);
    }
    const absl::Duration begin = world.now();
    world.RunFor(still.after_seconds == 0 ? absl::Hours(2) : Seconds(still.after_seconds + 3));
    INFO(still.name);
    CHECK(world.First() == still.hung);
    if (still.after_seconds == 0) continue;
    REQUIRE(world.hung().size() == 1);
    CHECK(world.hung_at() - begin >= Seconds(still.after_seconds));
    CHECK(world.hung()[0].rank().generation() == 1);
  }
}

// SIGSTOP is how people try this out. A stopped rank must not hide behind what it did when it was
// stopped.
TEST_CASE("a rank that was stopped hangs even where nothing else would count against it") {
  for (const char* doing : {"loading", "compiling", "first step", "checkpoint"}) {
    World world(2);
    world.Run();
    world.Says(0, Doing("step", 0, 1, 0));
    world.Says(1, Doing(doing, 0, 0, 0));
    world.RunFor(Minutes(3));
    CHECK(world.hung().empty());
    world.IsSilent(1);
    world.RunFor(Seconds(59));
    CHECK(world.hung().empty());
    world.RunFor(Seconds(4));
    INFO(doing << ": " << world.First());
    REQUIRE(world.hung().size() == 1);
    CHECK(world.hung()[0].rank().rank() == 1);
    CHECK(absl::StrContains(world.First(), absl::StrCat("doing: ", doing)));
  }
}

TEST_CASE("a gang that makes its steps never hangs, however slow they are") {
  World world(3);
  world.Run();
  for (int step = 1; step <= 30; ++step) {
    // Rank 1 computes for 55 s, the others wait for it in the collective.
    world.Says(0, Doing("step", step, step + 1, step));
    world.Says(1, Doing("step", step, step, step));
    world.Says(2, Doing("step", step, step + 1, step));
    world.RunFor(Seconds(55));
  }
  CHECK(world.First() == "");
}

// Slow machines and long steps are no hangs; the time that counts is the one that others lose.
TEST_CASE("a step that takes longer than hang_after is no hang when the peers wait but a while") {
  World world(2);
  world.Run();
  world.Says(0, Doing("step", 7, 70, 70));
  world.Says(1, Doing("step", 7, 70, 70));
  world.RunFor(Seconds(300));  // both compute
  world.Says(0, Doing("step", 7, 71, 70));
  world.RunFor(Seconds(50));
  CHECK(world.First() == "");
  world.RunFor(Seconds(12));  // it is the wait that counts
  CHECK(absl::StartsWith(world.First(), "1 RankHung: "));
}

// A rank whose activity thread tells of the last step only may still be seen to make steps.
TEST_CASE("steps that only Progress tells of are progress") {
  World world(2);
  world.Run();
  world.Says(0, Doing("step", 0, 71, 70));
  for (int step = 1; step <= 20; ++step) {
    pb::RankMessage progress;
    progress.mutable_progress()->set_step(step);
    world.Says(1, progress);
    world.RunFor(Seconds(30));
  }
  CHECK(world.First() == "");
}

TEST_CASE("hang_after is the job's own") {
  World world(2, 5);
  world.Run();
  world.Says(0, Doing("step", 1, 2, 1));
  world.Says(1, Doing("step", 1, 1, 1));
  world.RunFor(Seconds(7));
  CHECK(world.hung().size() == 1);
}

// The scheduler may refuse an event (its job was just being paused, and was resumed since).
TEST_CASE("a hang of which nothing came is said again after as long") {
  World world(2);
  world.Run();
  world.Says(0, Doing("step", 1, 2, 1));
  world.Says(1, Doing("step", 1, 1, 1));
  world.RunFor(Minutes(5));
  CHECK(world.hung().size() == 4);
}

// ---- gangs that come up -------------------------------------------------------------------------

TEST_CASE("a gang whose ranks give no sign of life has failed to start, with the names of all") {
  World world(3);
  world.Says(1, Doing("loading", 0, 0, 0));
  const absl::Duration begin = world.now();
  world.RunFor(Seconds(59));
  CHECK(world.First() == "");
  world.RunFor(Seconds(3));
  REQUIRE(world.hung().size() == 1);
  CHECK(world.hung_at() - begin >= Seconds(60));
  CHECK(world.First() ==
        "0 StartTimeout: generation 1 did not come up: not heard of or not joined, and without a "
        "sign of life for 1m 00s: rank 0 of job a on host h-w0 (worker w0), rank 2 of job a on "
        "host h-w2 (worker w2)");
}

// The one that has joined waits, and says so; it is not to blame.
TEST_CASE("a rank that fell silent after it listened, and has not joined, is missing") {
  World world(2);
  world.Listen();
  world.Tell(testing::Joined(world.Of(0)));
  world.Says(0, Doing("waiting", 0, 0, 0));
  world.RunFor(Seconds(62));
  CHECK(world.First() ==
        "1 StartTimeout: generation 1 did not come up: not joined, and without a sign of life for "
        "1m 00s: rank 1 of job a on host h-w1 (worker w1)");
}

TEST_CASE("ranks may load for hours, as long as they say so") {
  World world(2);
  world.Says(0, Doing("loading", 0, 0, 0));
  world.Says(1, Doing("loading", 0, 0, 0));
  world.RunFor(absl::Hours(3));
  CHECK(world.First() == "");
  world.Run();  // and what was said before counts for nothing then
  world.RunFor(Seconds(59));
  CHECK(world.First() == "");
}

// ---- who may be judged --------------------------------------------------------------------------

// Nothing can be heard of its ranks then, and what its peers say would be held against them.
TEST_CASE("while a worker is away its gang is not judged, and its clocks begin anew after that") {
  World world(2);
  world.Run();
  world.Says(0, Doing("step", 1, 2, 1));
  world.Says(1, Doing("step", 1, 1, 1));
  world.RunFor(Seconds(50));
  world.Tell(testing::Started());  // both are absent now
  world.IsSilent(0);
  world.IsSilent(1);
  world.RunFor(Seconds(15));
  CHECK(world.First() == "");
  world.Tell(testing::Attach("w0", 1, {world.Of(0)}));
  world.Says(0, Doing("step", 1, 2, 1));
  world.RunFor(Seconds(12));
  CHECK(world.First() == "");
  world.Tell(testing::Attach("w1", 1, {world.Of(1)}));
  world.Says(1, Doing("step", 1, 1, 1));
  world.RunFor(Seconds(59));
  CHECK(world.First() == "");
  world.RunFor(Seconds(4));
  CHECK(absl::StartsWith(world.First(), "1 RankHung: "));
}

// A rank that stands still because its worker is out of reach is the business of liveness.h.
TEST_CASE("the gang of a suspect is not judged") {
  World world(2);
  world.Run();
  world.Says(0, Doing("step", 1, 2, 1));
  world.RunFor(Seconds(30));
  world.Tell(testing::Silent("w1"));
  world.RunFor(Minutes(5));
  CHECK(world.First() == "");
  world.Tell(testing::Heard("w1"));
  world.RunFor(Seconds(62));
  CHECK(absl::StartsWith(world.First(),
                         "1 RankHung: rank 1 of job a on host h-w1 (worker w1) is silent: "));
}

TEST_CASE("what is found is taken by the scheduler: the rank is looked at, its gang recovers") {
  World world(2);
  world.Run();
  world.Says(0, Doing("step", 7, 2, 1));
  world.Says(1, Doing("step", 7, 1, 1));
  world.RunFor(Seconds(63));
  REQUIRE(world.hung().size() == 1);
  pb::Event event;
  *event.mutable_rank_hung() = world.hung()[0];
  world.Tell(event);
  CHECK(world.job().state == pb::RECOVERING);
  CHECK(world.job().gang_phase == pb::LEAVING);
  CHECK(world.job().reason.code() == "RankHung");
  CHECK(world.job().failed_step == 7);
  world.RunFor(Minutes(5));
  CHECK(world.hung().size() == 1);
}

TEST_CASE("a gang that does not come up is started again, once for each of its generations") {
  World world(2);
  for (int restarts = 1; restarts <= 3; ++restarts) {
    const size_t before = world.hung().size();
    world.RunFor(Seconds(63));
    REQUIRE(world.hung().size() == before + 1);
    pb::Event event;
    *event.mutable_rank_hung() = world.hung().back();
    world.Tell(event);
    CHECK(world.job().restarts == restarts);
    CHECK(world.job().reason.code() == "StartTimeout");
    world.Tell(testing::Killed(world.Of(0), 9));
    world.Tell(testing::Killed(world.Of(1), 9));
    CHECK(world.job().generation == restarts + 1);
  }
}

// Hours pass between looks, and each of them counts for 400 ms.
TEST_CASE("time in which the coordinator itself was away does not count") {
  World world(2);
  world.Run();
  world.Says(0, Doing("step", 1, 2, 1));
  world.Says(1, Doing("step", 1, 1, 1));
  world.RunFor(Seconds(10));
  for (int i = 0; i < 20; ++i) {
    world.Sleep(absl::Hours(1));
    world.Check();
  }
  CHECK(world.First() == "");
}

// What leaves has other limits: the grace, the leave window, the kill. And what is not watched
// takes no memory.
TEST_CASE("a job that waits, stops or is done is not watched, nor are its ranks remembered") {
  World world(2);
  world.RunFor(Seconds(2));
  CHECK(world.watch().watched() == 1);
  world.Run();
  world.RunFor(Seconds(2));
  CHECK(world.watch().watched() == 1);
  SECTION("done") { world.Tell(testing::Done(world.Of(0), 100)); }
  SECTION("stopping") { world.Tell(testing::Pause("a")); }
  SECTION("recovering") { world.Tell(testing::Killed(world.Of(0), 9)); }
  SECTION("a rank has left") { world.Tell(testing::Exited(world.Of(0), 0)); }
  world.RunFor(Minutes(5));
  CHECK(world.watch().watched() == 0);
  CHECK(world.First() == "");
}

// They come from workers, so they may say anything.
TEST_CASE("reports that fit no gang change nothing") {
  World world(2);
  world.Run();
  world.Says(0, Doing("step", 1, 2, 1));
  const auto alive = Doing("step", 9, 9, 9);
  for (int i = 0; i < 70; ++i) {
    world.RunFor(Seconds(1));
    world.watch().OnReport(Ref("a", 7, 1), alive, world.now());  // another generation
    world.watch().OnReport(Ref("b", 1, 1), alive, world.now());  // no such job
    world.watch().OnReport(Ref("a", 1, 5), alive, world.now());  // no such rank
    world.watch().OnReport(Ref("a", 1, -1), alive, world.now());
  }
  CHECK(world.watch().watched() == 1);
  REQUIRE(world.hung().size() == 1);
  CHECK(world.hung()[0].rank().rank() == 1);
}

TEST_CASE("a new generation has clocks of its own") {
  World world(1);
  world.Run();
  world.RunFor(Seconds(50));
  world.Tell(testing::Killed(world.Of(0), 9));
  REQUIRE(world.job().generation == 2);
  world.RunFor(Seconds(50));
  CHECK(world.First() == "");
  world.RunFor(Seconds(12));
  CHECK(absl::StartsWith(world.First(), "0 StartTimeout: generation 2 "));
}

// ---- a loaded machine ---------------------------------------------------------------------------

// The load of the issue: more ranks than cores, and a judge that runs when it can. Progress is
// real and small; every rank is behind some other one all the time.
TEST_CASE("late reports and a judge that stalls make nobody hang whose gang goes on") {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    INFO("seed " << seed);
    base::RandomStream random(seed, 1);
    World world(4, 10);
    world.Run();
    std::vector<int64_t> entered(4, 0);
    for (int round = 0; round < 2000; ++round) {
      // The slowest one catches up now and then; nobody is more than one collective ahead.
      const size_t rank = random.NextBelow(4);
      const int64_t least = *std::min_element(entered.begin(), entered.end());
      if (entered[rank] == least) ++entered[rank];
      for (size_t i = 0; i < entered.size(); ++i) {
        if (random.NextBelow(100) < 40) continue;  // late
        world.watch().OnReport(world.Of(static_cast<int>(i)),
                               Doing("step", entered[i], entered[i], least), world.now());
      }
      world.Sleep(Milliseconds(random.NextBelow(100) < 5 ? 30000 : 200));
      world.Check();
    }
    CHECK(world.First() == "");
  }
}

}  // namespace
}  // namespace rm::coordinator
