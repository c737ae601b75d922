#include "runtime/coordinator/liveness.h"

#include <deque>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "base/random.h"

namespace rm::coordinator {
namespace {

using absl::Milliseconds;
using absl::Seconds;

// Without anybody who could confirm anything.
std::vector<Liveness::Finding> LostAt(Liveness& liveness, absl::Duration now) {
  return liveness.Judge(now, [](const std::string&) { return std::set<std::string>(); }).lost;
}

// Judges every 200 ms, as the coordinator does, and keeps who was lost and when.
struct Judge {
  Liveness liveness;
  absl::Duration now = Seconds(1000);
  std::vector<std::string> lost;

  void RunFor(absl::Duration duration, const std::vector<std::string>& heard = {}) {
    for (const absl::Duration end = now + duration; now < end;) {
      now += Milliseconds(200);
      for (const std::string& id : heard) liveness.Heard(id, now);
      for (const Liveness::Finding& worker : LostAt(liveness, now)) {
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
    CHECK(LostAt(judge.liveness, judge.now).empty());
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
  for (int i = 0; i < 100; ++i) CHECK(LostAt(judge.liveness, judge.now).empty());
}

TEST_CASE("what is heard of a worker that is not watched is nothing") {
  Judge judge;
  judge.liveness.Heard("ghost", judge.now);
  judge.liveness.Broken("ghost", judge.now);
  judge.RunFor(Seconds(60));
  CHECK(judge.lost.empty());
}

// ---- suspicion and confirmation, as stories -----------------------------------------------------

// What happens to w1 at a time; w2 and w3 are heard all the time, and lost their peers on w1 where
// the story says so.
struct Moment {
  int at_ms;
  std::string what;  // "heard", "broken", "attached", "edge w2" (a rank there lost its peer on w1)
};

struct Story {
  std::string name;
  std::set<std::string> peers;  // of w1
  std::vector<Moment> moments;
  std::vector<std::string> said;  // "1600 suspect …", by the time of the judgement
};

void Happen(Liveness& liveness, const std::string& what, absl::Duration now) {
  if (what == "heard") liveness.Heard("w1", now);
  if (what == "broken") liveness.Broken("w1", now);
  if (what == "attached") liveness.Attached("w1", now);
  if (what.substr(0, 5) == "edge ") liveness.EdgeLost(what.substr(5), "w1", now);
}

void Say(const std::string& kind, const std::vector<Liveness::Finding>& findings, int64_t ms,
         std::vector<std::string>& said) {
  for (const Liveness::Finding& finding : findings) {
    said.push_back(absl::StrCat(ms, " ", kind, " ", finding.worker_id, ": ", finding.sentence));
  }
}

// Judged every 200 ms for 15 s; what happens at a time happens before the judgement of that time.
std::vector<std::string> Tell(const Story& story) {
  Liveness liveness;
  const absl::Duration start = Seconds(500);
  for (const char* id : {"w1", "w2", "w3"}) liveness.Attached(id, start);
  std::vector<std::string> said;
  for (int ms = 100; ms <= 15000; ms += 100) {
    const absl::Duration now = start + Milliseconds(ms);
    liveness.Heard("w2", now);
    liveness.Heard("w3", now);
    for (const Moment& moment : story.moments) {
      if (moment.at_ms == ms) Happen(liveness, moment.what, now);
    }
    if (ms % 200 != 0) continue;
    const Liveness::Verdict verdict = liveness.Judge(now, [&](const std::string& id) {
      CHECK(id == "w1");  // asked about suspects only
      return story.peers;
    });
    Say("suspect", verdict.suspects, ms, said);
    Say("recovered", verdict.recovered, ms, said);
    Say("lost", verdict.lost, ms, said);
  }
  return said;
}

const char kSuspect[] = "1600 suspect w1: nothing was heard of it for 1.6 s";
const char kSilentTen[] = "10000 lost w1: nothing was heard of it for 10 s";
const char kBothLostThem[] =
    ", and all ranks that talk to its ranks have lost them: those on w2, w3";

TEST_CASE("what silence, broken streams and lost edges make of a worker") {
  const std::vector<Story> stories = {
      {"silence alone: a suspect soon, lost late", {}, {}, {kSuspect, kSilentTen}},
      {"its peers do not confirm it", {"w2", "w3"}, {}, {kSuspect, kSilentTen}},
      {"all peers confirm it: lost at the first judgement after that",
       {"w2", "w3"},
       {{2000, "edge w2"}, {2500, "edge w3"}},
       {kSuspect, absl::StrCat("2600 lost w1: nothing was heard of it for 2.6 s", kBothLostThem)}},
      {"they confirm it before it is silent for long enough: at once then",
       {"w2", "w3"},
       {{300, "edge w2"}, {400, "edge w3"}},
       {absl::StrCat("1600 lost w1: nothing was heard of it for 1.6 s", kBothLostThem)}},
      {"one of two peers confirms it: not enough",
       {"w2", "w3"},
       {{2000, "edge w2"}},
       {kSuspect, kSilentTen}},
      {"nobody is its peer, so nobody can confirm it",
       {},
       {{2000, "edge w2"}, {2000, "edge w3"}},
       {kSuspect, kSilentTen}},
      {"it does not confirm its own loss", {"w1"}, {{2000, "edge w1"}}, {kSuspect, kSilentTen}},
      {"a confirmation from before it was heard is void: a rank died there, not the worker",
       {"w2"},
       {{400, "edge w2"}, {500, "heard"}},
       {"2000 suspect w1: nothing was heard of it for 1.5 s",
        "10600 lost w1: nothing was heard of it for 10 s"}},
      {"heard again: no suspect any more, and later anew",
       {},
       {{4000, "heard"}},
       {kSuspect, "4000 recovered w1: it was heard again after 4.0 s",
        "5600 suspect w1: nothing was heard of it for 1.6 s",
        "14000 lost w1: nothing was heard of it for 10 s"}},
      {"attached again: no suspect, and nothing is said of it here",
       {},
       {{3000, "attached"}, {4000, "heard"}},
       {kSuspect, "5600 suspect w1: nothing was heard of it for 1.6 s",
        "14000 lost w1: nothing was heard of it for 10 s"}},
      {"a broken stream is no silence: lost without being a suspect",
       {"w2"},
       {{200, "heard"}, {1000, "broken"}},
       {"2600 lost w1: its stream broke and it was not back within 1.5 s"}},
      {"a suspect whose stream breaks then has as long as any other",
       {"w2"},
       {{3000, "broken"}},
       {kSuspect, "4600 lost w1: its stream broke and it was not back within 1.5 s"}},
      {"a break is forgiven when it redials in time",
       {},
       {{1000, "broken"},
        {2400, "attached"},
        {3000, "broken"},
        {4400, "attached"},
        {5000, "broken"}},
       {"6600 lost w1: its stream broke and it was not back within 1.5 s"}},
  };
  for (const Story& story : stories) {
    INFO(story.name);
    CHECK(Tell(story) == story.said);
  }
}

// Ranks may report the loss of a worker that was lost already.
TEST_CASE("an edge to a worker that is not watched is nothing") {
  Judge judge;
  judge.liveness.EdgeLost("w2", "ghost", judge.now);
  judge.RunFor(Seconds(60));
  CHECK(judge.lost.empty());
  CHECK_FALSE(judge.liveness.IsWatched("ghost"));
}

// ---- a loaded machine ---------------------------------------------------------------------------

// Eight ranks, a compile and two cores: nobody runs when it wants to. Heartbeats are late by up to
// `delay`, the judge by up to `stall`; both at random. Streams break now and then and are back
// within `redial`.
struct Load {
  absl::Duration delay;
  absl::Duration stall;
  absl::Duration redial;
};

class LoadedMachine {
 public:
  LoadedMachine(uint64_t seed, const Load& load) : random_(seed, 1), load_(load) {
    for (int i = 0; i < kWorkers; ++i) {
      liveness_.Attached(Id(i), now_);
      next_[i] = now_ + Milliseconds(200);
    }
  }

  void RunFor(absl::Duration duration) {
    const absl::Duration end = now_ + duration;
    while (now_ < end) {
      // Mostly on time, now and then much too late.
      now_ += Milliseconds(200) + (Chance(10) ? Random(load_.stall) : Random(Milliseconds(30)));
      for (int i = 0; i < kWorkers; ++i) Deliver(i);
      const Liveness::Verdict verdict =
          liveness_.Judge(now_, [](const std::string&) { return std::set<std::string>{"w0"}; });
      suspects_ += verdict.suspects.size();
      recovered_ += verdict.recovered.size();
      for (const Liveness::Finding& lost : verdict.lost) lost_.push_back(lost.sentence);
    }
  }

  const std::vector<std::string>& lost() const { return lost_; }
  size_t suspects() const { return suspects_; }
  size_t recovered() const { return recovered_; }

 private:
  static constexpr int kWorkers = 8;

  static std::string Id(int i) { return absl::StrCat("w", i); }
  bool Chance(uint64_t percent) { return random_.NextBelow(100) < percent; }
  absl::Duration Random(absl::Duration limit) {
    const int64_t us = absl::ToInt64Microseconds(limit);
    return us <= 0 ? absl::ZeroDuration()
                   : absl::Microseconds(
                         static_cast<int64_t>(random_.NextBelow(static_cast<uint64_t>(us))));
  }

  // What has come of worker `i` by now; it sends every 200 ms, and each may be late.
  void Deliver(int i) {
    if (back_[i] > now_) return;
    if (back_[i] > absl::ZeroDuration()) {
      liveness_.Attached(Id(i), now_);
      back_[i] = absl::ZeroDuration();
      next_[i] = now_;
    }
    while (next_[i] <= now_) {
      liveness_.Heard(Id(i), now_);
      next_[i] += Milliseconds(200) +
                  (Chance(5) ? Random(load_.delay - Milliseconds(200)) : absl::ZeroDuration());
    }
    if (load_.redial > absl::ZeroDuration() && Chance(1)) {
      liveness_.Broken(Id(i), now_);
      back_[i] = now_ + Random(load_.redial);
    }
  }

  base::RandomStream random_;
  const Load load_;
  Liveness liveness_;
  absl::Duration now_ = Seconds(100);
  absl::Duration next_[kWorkers];  // when its next heartbeat comes in
  absl::Duration back_[kWorkers];  // when its broken stream is back; zero: it stands
  size_t suspects_ = 0;
  size_t recovered_ = 0;
  std::vector<std::string> lost_;
};

// The promise to a loaded machine: being late is not being silent, whoever is late.
TEST_CASE("stalls of the judge and heartbeats late by less than 1.5 s make nobody a suspect") {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    INFO("seed " << seed);
    LoadedMachine machine(seed, {Milliseconds(1400), Seconds(20), absl::ZeroDuration()});
    machine.RunFor(absl::Minutes(30));
    CHECK(machine.suspects() == 0);
    CHECK(machine.lost().empty());
  }
}

// And being silent is not being lost. No worker's word is taken here but its own: w0 is named as
// everybody's peer and confirms nothing.
TEST_CASE("heartbeats late by less than 10 s make suspects, and all of them recover") {
  size_t suspects = 0;
  for (uint64_t seed = 21; seed <= 40; ++seed) {
    INFO("seed " << seed);
    LoadedMachine machine(seed, {Milliseconds(9700), Seconds(5), absl::ZeroDuration()});
    machine.RunFor(absl::Minutes(30));
    CHECK(machine.lost().empty());
    CHECK(machine.suspects() - machine.recovered() <= 8);  // some are silent at the end
    suspects += machine.suspects();
  }
  CHECK(suspects > 1000);
}

// A rank that dies takes its edges with it, and every peer says so, whether its worker lives or
// not.
TEST_CASE("whatever its peers say, nobody who is heard every 1.5 s is lost") {
  for (uint64_t seed = 81; seed <= 90; ++seed) {
    INFO("seed " << seed);
    base::RandomStream random(seed, 1);
    const std::vector<std::string> ids = {"w0", "w1", "w2", "w3"};
    Liveness liveness;
    absl::Duration now = Seconds(100);
    std::vector<absl::Duration> heard(ids.size(), now);
    for (const std::string& id : ids) liveness.Attached(id, now);
    for (int i = 0; i < 20000; ++i) {
      now += Milliseconds(static_cast<int64_t>(random.NextBelow(300)));
      for (size_t w = 0; w < ids.size(); ++w) {
        if (random.NextBelow(100) < 50) liveness.EdgeLost(ids[random.NextBelow(4)], ids[w], now);
        if (random.NextBelow(100) < 80 && now - heard[w] < Milliseconds(1200)) continue;
        liveness.Heard(ids[w], now);
        heard[w] = now;
      }
      const auto everyone = [&](const std::string&) {
        return std::set<std::string>(ids.begin(), ids.end());
      };
      REQUIRE(liveness.Judge(now, everyone).lost.empty());
    }
  }
}

// The break may be seen up to one judgement after it happened, and the redial too: a little less
// than 1.5 s is what a worker has.
TEST_CASE("streams that break and are back in time lose nobody, however late the judge is") {
  for (uint64_t seed = 41; seed <= 60; ++seed) {
    INFO("seed " << seed);
    LoadedMachine machine(seed, {Milliseconds(1000), Seconds(3), Milliseconds(1100)});
    machine.RunFor(absl::Minutes(30));
    CHECK(machine.lost().empty());
  }
}

// The other side of patience: it must not be endless. Each judgement lives 200 to 400 ms.
TEST_CASE("a worker that is really gone is lost in spite of the load") {
  for (uint64_t seed = 61; seed <= 80; ++seed) {
    INFO("seed " << seed);
    base::RandomStream random(seed, 1);
    Liveness liveness;
    absl::Duration now = Seconds(100);
    liveness.Attached("w1", now);
    int judgements = 0;
    while (liveness.IsWatched("w1")) {
      now += Milliseconds(200 + static_cast<int64_t>(random.NextBelow(3000)));
      REQUIRE(++judgements <= 50);  // 10 s of 200 ms at least each
      (void)LostAt(liveness, now);
    }
    CHECK(judgements >= 25);  // and of 400 ms at most
  }
}

}  // namespace
}  // namespace rm::coordinator
