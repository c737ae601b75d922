#include "runtime/coordinator/liveness.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace rm::coordinator {
namespace {

using absl::Milliseconds;
using absl::Seconds;

// Checks every 200 ms, as the coordinator does, and keeps who was lost and when.
struct Judge {
  Liveness liveness;
  absl::Duration now = Seconds(1000);
  std::vector<std::string> lost;

  void RunFor(absl::Duration duration, const std::vector<std::string>& heard = {}) {
    for (const absl::Duration end = now + duration; now < end;) {
      now += Milliseconds(200);
      for (const std::string& id : heard) liveness.Heard(id, now);
      for (const Liveness::Lost& worker : liveness.Check(now)) {
        lost.push_back(worker.worker_id + ": " + worker.sentence);
      }
    }
  }
};

TEST_CASE("a worker that is heard is never lost") {
  Judge judge;
  judge.liveness.Attached("w1", judge.now);
  judge.RunFor(absl::Minutes(10), {"w1"});
  CHECK(judge.lost.empty());
  CHECK(judge.liveness.SilentFor("w1") == absl::ZeroDuration());
}

TEST_CASE("a worker whose stream broke is lost after 1.5 s") {
  Judge judge;
  judge.liveness.Attached("w1", judge.now);
  judge.RunFor(Seconds(1), {"w1"});
  judge.liveness.Broken("w1", judge.now);
  judge.RunFor(Milliseconds(1400));
  CHECK(judge.lost.empty());
  judge.RunFor(Milliseconds(200));
  CHECK(judge.lost ==
        std::vector<std::string>{"w1: its stream broke and it was not back within 1.5 s"});
}

TEST_CASE("a worker that redials in time is not lost") {
  Judge judge;
  judge.liveness.Attached("w1", judge.now);
  judge.liveness.Broken("w1", judge.now);
  judge.RunFor(Milliseconds(1400));
  judge.liveness.Attached("w1", judge.now);
  judge.RunFor(Seconds(60), {"w1"});
  CHECK(judge.lost.empty());
}

TEST_CASE("silence alone takes ten seconds") {
  Judge judge;
  judge.liveness.Attached("w1", judge.now);
  judge.liveness.Attached("w2", judge.now);
  judge.RunFor(Milliseconds(9800), {"w2"});
  CHECK(judge.lost.empty());
  CHECK(judge.liveness.SilentFor("w1") == Milliseconds(9800));
  judge.RunFor(Milliseconds(200), {"w2"});
  CHECK(judge.lost == std::vector<std::string>{"w1: nothing was heard of it for 10 s"});
}

TEST_CASE("who is lost is lost once") {
  Judge judge;
  judge.liveness.Attached("w1", judge.now);
  judge.liveness.Broken("w1", judge.now);
  judge.RunFor(Seconds(60));
  CHECK(judge.lost.size() == 1);
}

TEST_CASE("time in which the coordinator itself was away does not count") {
  Judge judge;
  judge.liveness.Attached("w1", judge.now);
  judge.liveness.Attached("w2", judge.now);
  judge.liveness.Broken("w1", judge.now);
  for (int i = 0; i < 3; ++i) {  // it wakes up three times, a minute apart
    judge.now += absl::Minutes(1);
    CHECK(judge.liveness.Check(judge.now).empty());
  }
  judge.RunFor(Milliseconds(200), {"w2"});  // 3 × 400 ms and this
  CHECK(judge.lost.empty());
  judge.RunFor(Milliseconds(200), {"w2"});
  CHECK(judge.lost.size() == 1);
}

TEST_CASE("a clock that stands still loses nobody") {
  Judge judge;
  judge.liveness.Attached("w1", judge.now);
  judge.liveness.Broken("w1", judge.now);
  for (int i = 0; i < 100; ++i) CHECK(judge.liveness.Check(judge.now).empty());
}

TEST_CASE("what is heard of a worker that is not watched is nothing") {
  Judge judge;
  judge.liveness.Heard("ghost", judge.now);
  judge.liveness.Broken("ghost", judge.now);
  judge.RunFor(Seconds(60));
  CHECK(judge.lost.empty());
}

}  // namespace
}  // namespace rm::coordinator
