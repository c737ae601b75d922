#include "runtime/coordinator/feed.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace rm::coordinator {
namespace {

// Says what it is told to, one text a poll; ends when told.
struct Script {
  std::vector<std::string> texts;
  bool over = false;
  int polls = 0;
};

class ScriptFeed final : public Feed<std::string> {
 public:
  explicit ScriptFeed(Script* script) : script_(script) {}
  FeedNext Poll(absl::Duration, std::string* message, absl::Status* status) override {
    ++script_->polls;
    if (!script_->texts.empty()) {
      *message = script_->texts.front();
      script_->texts.erase(script_->texts.begin());
      return FeedNext::kMessage;
    }
    if (!script_->over) return FeedNext::kLater;
    *status = absl::OkStatus();
    return FeedNext::kEnd;
  }

 private:
  Script* script_;
};

struct FakeSink final : StreamSink<std::string> {
  std::vector<std::string> written;
  std::vector<absl::Status> finished;
  void Write(const std::string& message) override { written.push_back(message); }
  void Finish(const absl::Status& status) override { finished.push_back(status); }
};

struct Stream {
  Script script;
  FakeSink sink;
  std::shared_ptr<FeedCall<std::string>> call = std::make_shared<FeedCall<std::string>>(&sink);

  Stream() { call->Begin(std::make_unique<ScriptFeed>(&script)); }
};

constexpr absl::Duration kNow = absl::ZeroDuration();

TEST_CASE("a stream writes one message at a time and asks for none while it writes") {
  Stream stream;
  stream.script.texts = {"one", "two"};
  CHECK(stream.call->Poll(kNow));
  CHECK(stream.call->Poll(kNow));
  CHECK(stream.sink.written == std::vector<std::string>{"one"});
  CHECK(stream.script.polls == 1);
  stream.call->Written(true);
  CHECK(stream.call->Poll(kNow));
  CHECK(stream.sink.written == std::vector<std::string>{"one", "two"});
}

TEST_CASE("a stream whose feed is over ends with its status, once") {
  Stream stream;
  CHECK(stream.call->Poll(kNow));
  stream.script.over = true;
  CHECK_FALSE(stream.call->Poll(kNow));
  CHECK_FALSE(stream.call->Poll(kNow));
  stream.call->Close(absl::CancelledError("late"));
  REQUIRE(stream.sink.finished.size() == 1);
  CHECK(stream.sink.finished[0].ok());
}

TEST_CASE("a client that is gone ends the stream") {
  Stream stream;
  stream.script.texts = {"one", "two"};
  REQUIRE(stream.call->Poll(kNow));
  stream.call->Written(false);
  CHECK_FALSE(stream.call->Poll(kNow));
  REQUIRE(stream.sink.finished.size() == 1);
  CHECK(absl::IsCancelled(stream.sink.finished[0]));
}

TEST_CASE("a call that was closed before it began never begins") {
  Script script;
  FakeSink sink;
  FeedCall<std::string> call(&sink);
  CHECK(call.Poll(kNow));
  call.Close(absl::CancelledError("the client is gone"));
  call.Begin(std::make_unique<ScriptFeed>(&script));
  CHECK_FALSE(call.Poll(kNow));
  CHECK(script.polls == 0);
  CHECK(sink.finished.size() == 1);
}

TEST_CASE("closing while a write is on its way finishes at once, and its end is ignored") {
  Stream stream;
  stream.script.texts = {"one"};
  REQUIRE(stream.call->Poll(kNow));
  stream.call->Close(absl::UnavailableError("stopping"));
  stream.call->Written(true);
  CHECK_FALSE(stream.call->Poll(kNow));
  CHECK(stream.sink.finished.size() == 1);
}

TEST_CASE("a list asks all its streams and forgets those that are over") {
  Stream first;
  Stream second;
  FeedList list;
  list.Add(first.call);
  list.Add(second.call);
  second.script.texts = {"x"};
  list.PollAll(kNow);
  CHECK(first.script.polls == 1);
  CHECK(second.sink.written.size() == 1);
  first.script.over = true;
  list.PollAll(kNow);
  CHECK(list.size() == 1);
}

TEST_CASE("a closed list ends its streams, and those that come late") {
  Stream early;
  Stream late;
  FeedList list;
  list.Add(early.call);
  list.CloseAll(absl::UnavailableError("stopping"));
  list.Add(late.call);
  CHECK(list.size() == 0);
  for (const Stream* stream : {&early, &late}) {
    REQUIRE(stream->sink.finished.size() == 1);
    CHECK(absl::IsUnavailable(stream->sink.finished[0]));
  }
}

}  // namespace
}  // namespace rm::coordinator
