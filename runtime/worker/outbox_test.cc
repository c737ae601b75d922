#include "runtime/worker/outbox.h"

#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "runtime/worker/testing.h"

namespace rm::worker {
namespace {

namespace pb = ::ringmaster::v1;
using Texts = std::vector<std::string>;

// Everything that can be popped now, as texts.
Texts PopAll(Outbox& outbox) {
  Texts texts;
  while (const auto message = outbox.Pop(absl::ZeroDuration())) texts.push_back(TextOf(*message));
  return texts;
}

Texts TextsOf(const std::vector<pb::RankRef>& ranks) {
  Texts texts;
  for (const pb::RankRef& rank : ranks) {
    texts.push_back(absl::StrCat(rank.job_id(), "/", rank.generation(), "/", rank.rank()));
  }
  return texts;
}

TEST_CASE("of a rank's activity and of its notices of one code only the newest waits") {
  Outbox outbox;
  const auto activity = [](int64_t step) {
    pb::WorkerMessage message = Report(Ref("a"));
    message.mutable_report()->mutable_message()->mutable_activity()->set_step(step);
    return message;
  };
  const auto notice = [](const std::string& code, int64_t step) {
    pb::WorkerMessage message = Report(Ref("a"));
    pb::Notice& said = *message.mutable_report()->mutable_message()->mutable_notice();
    said.mutable_reason()->set_code(code);
    said.set_step(step);
    return message;
  };
  for (int step = 1; step <= 1000; ++step) {
    outbox.Push(activity(step));
    outbox.Push(notice("CheckpointFailed", step));
    outbox.Push(notice("BadRecords", step));
  }
  CHECK(TextOf(*outbox.Pop(absl::ZeroDuration())) == "a/1/0 activity 1000");
  const auto failed = outbox.Pop(absl::ZeroDuration());
  CHECK(TextOf(*failed) == "a/1/0 notice CheckpointFailed");
  CHECK(failed->report().message().notice().step() == 1000);
  CHECK(TextOf(*outbox.Pop(absl::ZeroDuration())) == "a/1/0 notice BadRecords");
  CHECK_FALSE(outbox.Pop(absl::ZeroDuration()).has_value());
  CHECK(outbox.Replay().empty());  // none of it is on record
}

TEST_CASE("messages come out in the order in which they went in") {
  Outbox outbox;
  const pb::RankRef rank = Ref("a");
  for (const auto& message :
       {Listening(rank), Joined(rank), Log(rank, 0, "abc"), ProgressAt(rank, 1), ExitOf(rank, 0)}) {
    outbox.Push(message);
  }
  CHECK(PopAll(outbox) == Texts{"a/1/0 listening", "a/1/0 joined", "a/1/0 log 0+3",
                                "a/1/0 progress 1", "a/1/0 exit 0"});
  CHECK(PopAll(outbox).empty());
}

TEST_CASE("of the progress and the evaluations of a rank only the newest waits, in the first's place") {
  Outbox outbox;
  outbox.Push(ProgressAt(Ref("a"), 1));
  outbox.Push(ProgressAt(Ref("a", 1, 1), 1));
  outbox.Push(EvaluatedAt(Ref("a"), 2));
  outbox.Push(ProgressAt(Ref("a", 2), 1));
  outbox.Push(CommittedAt(Ref("a"), 2));
  outbox.Push(CommittedAt(Ref("a"), 4));
  outbox.Push(ProgressAt(Ref("a"), 5));
  outbox.Push(EvaluatedAt(Ref("a"), 6));
  CHECK(PopAll(outbox) == Texts{"a/1/0 progress 5", "a/1/1 progress 1", "a/1/0 evaluated 6",
                                "a/2/0 progress 1", "a/1/0 committed 2", "a/1/0 committed 4"});
}

TEST_CASE("after an attach everything on record is sent again, and what waited follows") {
  Outbox outbox;
  const pb::RankRef rank = Ref("a");
  outbox.Push(Listening(rank));
  outbox.Push(Joined(rank));
  outbox.Push(ProgressAt(rank, 3));
  outbox.Push(CommittedAt(rank, 3));
  PopAll(outbox);  // all sent, nobody knows whether it arrived
  outbox.Push(Log(rank, 0, "x"));
  outbox.Push(CommittedAt(rank, 6));
  outbox.Push(ProgressAt(rank, 7));
  CHECK(TextsOf(outbox.Replay()) == Texts{"a/1/0"});
  CHECK(PopAll(outbox) == Texts{"a/1/0 listening", "a/1/0 joined", "a/1/0 committed 6",
                                "a/1/0 log 0+1", "a/1/0 progress 7"});
  SECTION("and once more after the next one, without what is not on record") {
    outbox.Replay();
    CHECK(PopAll(outbox) == Texts{"a/1/0 listening", "a/1/0 joined", "a/1/0 committed 6"});
  }
}

TEST_CASE("what waits of the log of an ended rank is sent before its end") {
  Outbox outbox;
  outbox.Push(Log(Ref("lives"), 0, "l"));
  outbox.Push(Log(Ref("ended"), 0, "e"));
  outbox.Push(ExitOf(Ref("ended"), 1));
  outbox.Replay();
  CHECK(PopAll(outbox) == Texts{"ended/1/0 log 0+1", "ended/1/0 exit 1", "lives/1/0 log 0+1"});
}

TEST_CASE("a rank is on record from its start on, before it has said a word") {
  Outbox outbox;
  outbox.NoteStarted(Ref("a", 2, 1));
  CHECK(TextsOf(outbox.Replay()) == Texts{"a/2/1"});
  CHECK(PopAll(outbox).empty());
}

TEST_CASE("an ended rank stays on record, for the stream may have lost its end") {
  Outbox outbox;
  outbox.Push(Listening(Ref("a")));
  outbox.Push(ExitOf(Ref("a"), 1));
  PopAll(outbox);
  CHECK(TextsOf(outbox.Replay()) == Texts{"a/1/0"});
  CHECK(PopAll(outbox) == Texts{"a/1/0 listening", "a/1/0 exit 1"});
}

TEST_CASE("the first end of a rank counts, and may be repeated") {
  Outbox outbox;
  CHECK_FALSE(outbox.RepeatEnd(Ref("a")));
  outbox.Push(Listening(Ref("a")));
  CHECK_FALSE(outbox.RepeatEnd(Ref("a")));
  outbox.Push(ExitOf(Ref("a"), 1));
  outbox.Push(ExitOf(Ref("a"), 0));
  CHECK(PopAll(outbox) == Texts{"a/1/0 listening", "a/1/0 exit 1"});
  CHECK(outbox.RepeatEnd(Ref("a")));
  CHECK(PopAll(outbox) == Texts{"a/1/0 exit 1"});
  CHECK_FALSE(outbox.RepeatEnd(Ref("a", 2)));
  CHECK_FALSE(outbox.RepeatEnd(Ref("a", 1, 1)));
}

TEST_CASE("a refused start is an end as well") {
  Outbox outbox;
  pb::WorkerMessage refused;
  *refused.mutable_refused()->mutable_rank() = Ref("a");
  outbox.Push(refused);
  PopAll(outbox);
  CHECK(outbox.RepeatEnd(Ref("a")));
  CHECK(PopAll(outbox) == Texts{"a/1/0 refused"});
}

TEST_CASE("only the last ended ranks are remembered, but an end that waits is not lost with them") {
  Outbox outbox;
  const int ranks = static_cast<int>(Outbox::kEndedRanksMax) + 3;
  for (int i = 0; i < ranks; ++i) outbox.Push(ExitOf(Ref(absl::StrCat("job", i)), i));
  CHECK_FALSE(outbox.RepeatEnd(Ref("job2")));
  CHECK(outbox.RepeatEnd(Ref("job3")));
  CHECK(outbox.Replay().size() == Outbox::kEndedRanksMax);
  const Texts sent = PopAll(outbox);
  CHECK(sent.size() == static_cast<size_t>(ranks));
  for (const int i : {0, 2, 3, ranks - 1}) {
    CAPTURE(i);
    CHECK(std::count(sent.begin(), sent.end(), absl::StrCat("job", i, "/1/0 exit ", i)) == 1);
  }
}

TEST_CASE("a rank that runs is never forgotten, however many have ended") {
  Outbox outbox;
  outbox.NoteStarted(Ref("runs"));
  for (size_t i = 0; i < 2 * Outbox::kEndedRanksMax; ++i) {
    outbox.Push(ExitOf(Ref(absl::StrCat("job", i)), 0));
  }
  CHECK(TextsOf(outbox.Replay()).back() == "runs/1/0");
}

TEST_CASE("log chunks beyond the bound push out the oldest ones, and nothing else") {
  Outbox outbox;
  const std::string half(Outbox::kLogBytesMax / 2, 'x');
  outbox.Push(Log(Ref("a"), 0, "old"));
  outbox.Push(ProgressAt(Ref("a"), 1));
  outbox.Push(Log(Ref("a"), 3, half));
  outbox.Push(Log(Ref("b"), 0, half));
  const std::string size = absl::StrCat("+", half.size());
  CHECK(PopAll(outbox) ==
        Texts{"a/1/0 progress 1", "a/1/0 log 3" + size, "b/1/0 log 0" + size});
  SECTION("what was popped counts no longer") {
    outbox.Push(Log(Ref("a"), 0, half));
    outbox.Push(Log(Ref("a"), 1, half));
    CHECK(PopAll(outbox).size() == 2);
  }
  SECTION("what was put back counts again") {
    outbox.Push(Log(Ref("a"), 0, half));
    auto popped = outbox.Pop(absl::ZeroDuration());
    outbox.Push(Log(Ref("b"), 0, half));
    outbox.PutBack(*std::move(popped));
    outbox.Push(Log(Ref("c"), 0, "one more"));
    CHECK(PopAll(outbox) == Texts{"b/1/0 log 0" + size, "c/1/0 log 0+8"});
  }
  SECTION("and so does what is left after a replay") {
    outbox.Push(Log(Ref("a"), 0, half));
    outbox.Push(Log(Ref("b"), 0, half));
    outbox.Replay();
    outbox.Push(Log(Ref("c"), 0, "one more"));
    CHECK(PopAll(outbox) == Texts{"b/1/0 log 0" + size, "c/1/0 log 0+8"});
  }
}

TEST_CASE("a message that could not be sent is the next one again") {
  Outbox outbox;
  outbox.Push(Log(Ref("a"), 0, "x"));
  outbox.Push(Log(Ref("a"), 1, "y"));
  auto message = outbox.Pop(absl::ZeroDuration());
  outbox.PutBack(*std::move(message));
  CHECK(PopAll(outbox) == Texts{"a/1/0 log 0+1", "a/1/0 log 1+1"});
}

TEST_CASE("progress that could not be sent gives way to newer progress that waits") {
  Outbox outbox;
  outbox.Push(ProgressAt(Ref("a"), 1));
  auto message = outbox.Pop(absl::ZeroDuration());
  outbox.Push(ProgressAt(Ref("a"), 2));
  outbox.PutBack(*std::move(message));
  outbox.Push(ProgressAt(Ref("a"), 3));
  CHECK(PopAll(outbox) == Texts{"a/1/0 progress 3"});
}

TEST_CASE("a report that could not be sent is not sent twice after the next attach") {
  Outbox outbox;
  outbox.Push(Listening(Ref("a")));
  auto message = outbox.Pop(absl::ZeroDuration());
  outbox.PutBack(*std::move(message));
  outbox.Replay();
  CHECK(PopAll(outbox) == Texts{"a/1/0 listening"});
}

TEST_CASE("waiting for a message ends with the message, with the time, or with the outbox") {
  Outbox outbox;
  CHECK_FALSE(outbox.Pop(absl::Milliseconds(1)).has_value());
  SECTION("the message") {
    std::thread other([&] { outbox.Push(Joined(Ref("a"))); });
    const auto message = outbox.Pop(absl::InfiniteDuration());
    other.join();
    REQUIRE(message.has_value());
    CHECK(TextOf(*message) == "a/1/0 joined");
  }
  SECTION("the outbox, which then gives nothing more") {
    std::thread other([&] { outbox.Close(); });
    CHECK_FALSE(outbox.Pop(absl::InfiniteDuration()).has_value());
    other.join();
    CHECK(outbox.closed());
    outbox.Push(Joined(Ref("a")));
    CHECK_FALSE(outbox.Pop(absl::InfiniteDuration()).has_value());
  }
}

}  // namespace
}  // namespace rm::worker
