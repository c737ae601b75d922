#include "runtime/worker/storage_probe.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "base/mutex.h"

namespace rm::worker {
namespace {

namespace pb = ::ringmaster::v1;

// What was answered so far.
class Answers {
 public:
  std::function<void(pb::StorageProbe)> Callback() {
    return [this](pb::StorageProbe probe) {
      base::MutexLock lock(mutex_);
      answers_.push_back(std::move(probe));
      changed_.SignalAll();
    };
  }
  pb::StorageProbe Await(size_t index) {
    base::MutexLock lock(mutex_);
    while (answers_.size() <= index) changed_.Wait(mutex_);
    return answers_[index];
  }
  size_t count() {
    base::MutexLock lock(mutex_);
    return answers_.size();
  }

 private:
  base::Mutex mutex_;
  base::CondVar changed_;
  std::vector<pb::StorageProbe> answers_;
};

constexpr absl::Duration kSoon = absl::Milliseconds(20);
constexpr absl::Duration kNever = absl::Hours(1);

TEST_CASE("what is read is answered, cut to a probe's length and made readable") {
  struct Case {
    std::string file;
    std::string content;
  };
  const Case cases[] = {{"nonce 42\n", "nonce 42\n"},
                        {"", ""},
                        {"bad \xFF byte", "bad ? byte"},
                        {std::string(100000, 'x'), std::string(4096, 'x')}};
  for (const Case& c : cases) {
    Answers answers;
    StorageProber prober([&](const std::string&) { return c.file; }, answers.Callback(), kNever);
    prober.Ask("/storage/.probe");
    const pb::StorageProbe answer = answers.Await(0);
    CHECK(answer.problem().empty());
    CHECK(answer.content() == c.content);
  }
}

TEST_CASE("the path that was asked for is read, each time anew") {
  Answers answers;
  StorageProber prober([](const std::string& path) { return "content of " + path; },
                       answers.Callback(), kNever);
  prober.Ask("/a");
  CHECK(answers.Await(0).content() == "content of /a");
  prober.Ask("/b");
  CHECK(answers.Await(1).content() == "content of /b");
}

TEST_CASE("a file that cannot be read is a problem, in the system's words") {
  Answers answers;
  StorageProber prober(
      [](const std::string&) { return absl::NotFoundError("open /storage/.probe: No such file"); },
      answers.Callback(), kNever);
  prober.Ask("/storage/.probe");
  CHECK(answers.Await(0).problem() == "open /storage/.probe: No such file");
}

TEST_CASE("a storage that hangs is a problem after the bound, and costs one read for all questions") {
  // Shared with the read, which outlives the prober.
  const auto release = std::make_shared<std::promise<void>>();
  const auto reads = std::make_shared<std::atomic<int>>(0);
  const auto ended = std::make_shared<std::promise<void>>();
  const std::shared_future<void> released = release->get_future().share();
  Answers answers;
  {
    StorageProber prober(
        [reads, released, ended](const std::string&) -> absl::StatusOr<std::string> {
          ++*reads;
          released.wait();
          ended->set_value();
          return std::string("too late");
        },
        answers.Callback(), kSoon);
    prober.Ask("/nfs/.probe");
    CHECK(answers.Await(0).problem() == "reading /nfs/.probe took longer than 20ms");
    prober.Ask("/nfs/.probe");
    CHECK(answers.Await(1).problem() == "reading /nfs/.probe took longer than 20ms");
    CHECK(*reads == 1);
  }
  CHECK(answers.count() == 2);  // the end of the prober did not wait for the read
  release->set_value();
  ended->get_future().wait();
}

TEST_CASE("the end of a prober does not wait for the bound, and nothing is answered after it") {
  const auto release = std::make_shared<std::promise<void>>();
  const std::shared_future<void> released = release->get_future().share();
  Answers answers;
  {
    StorageProber prober(
        [released](const std::string&) {
          released.wait();
          return std::string();
        },
        answers.Callback(), kNever);
    prober.Ask("/nfs/.probe");
  }
  CHECK(answers.count() == 0);
  release->set_value();
}

TEST_CASE("no path, no question") {
  Answers answers;
  {
    StorageProber prober([](const std::string&) { return std::string("x"); }, answers.Callback());
    prober.Ask("");
  }
  CHECK(answers.count() == 0);
}

}  // namespace
}  // namespace rm::worker
