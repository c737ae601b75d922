#include "runtime/worker/preflight_runner.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "runtime/worker/testing.h"

namespace rm::worker {
namespace {

namespace pb = ::ringmaster::v1;
using Texts = std::vector<std::string>;

pb::PreflightRequest Request(const std::string& job) {
  pb::PreflightRequest request;
  request.set_job_id(job);
  return request;
}

// A check that waits until the test lets it go.
class Gate {
 public:
  void Pass() {
    base::MutexLock lock(mutex_);
    ++waiting_;
    changed_.SignalAll();
    while (!open_) changed_.Wait(mutex_);
  }
  void AwaitVisitor() {
    base::MutexLock lock(mutex_);
    while (waiting_ == 0) changed_.Wait(mutex_);
  }
  void Open() {
    base::MutexLock lock(mutex_);
    open_ = true;
    changed_.SignalAll();
  }

 private:
  base::Mutex mutex_;
  base::CondVar changed_;
  int waiting_ = 0;
  bool open_ = false;
};

TEST_CASE("every question is answered, in order, with all that is wrong") {
  Outbox outbox;
  PreflightRunner runner(
      [](const pb::PreflightRequest& request) {
        return request.job_id() == "bad" ? Texts{"no data", "no model"} : Texts();
      },
      outbox);
  runner.Ask(Request("good"));
  runner.Ask(Request("bad"));
  const auto good = outbox.Pop(absl::InfiniteDuration());
  CHECK(good->preflight().job_id() == "good");
  CHECK(good->preflight().errors().empty());
  const auto bad = outbox.Pop(absl::InfiniteDuration());
  CHECK(bad->preflight().job_id() == "bad");
  CHECK(Texts(bad->preflight().errors().begin(), bad->preflight().errors().end()) ==
        Texts{"no data", "no model"});
}

TEST_CASE("a job that waits for its turn is not asked about twice, one that had it is") {
  Outbox outbox;
  Gate gate;
  PreflightRunner runner(
      [&](const pb::PreflightRequest& request) {
        if (request.job_id() == "first") gate.Pass();
        return Texts();
      },
      outbox);
  runner.Ask(Request("first"));
  gate.AwaitVisitor();
  runner.Ask(Request("second"));
  runner.Ask(Request("second"));
  runner.Ask(Request("first"));
  gate.Open();
  Texts answered;
  for (int i = 0; i < 3; ++i) answered.push_back(TextOf(*outbox.Pop(absl::InfiniteDuration())));
  CHECK(answered == Texts{"preflight first", "preflight second", "preflight first"});
  CHECK_FALSE(outbox.Pop(absl::ZeroDuration()).has_value());
}

TEST_CASE("at its end the runner finishes the check under way and drops the others") {
  Outbox outbox;
  Gate gate;
  std::atomic<int> checks{0};
  auto runner = std::make_unique<PreflightRunner>(
      [&](const pb::PreflightRequest&) {
        ++checks;
        gate.Pass();
        return Texts();
      },
      outbox);
  runner->Ask(Request("first"));
  gate.AwaitVisitor();
  runner->Ask(Request("second"));
  gate.Open();
  runner.reset();
  // The second one may have had its turn before the end was seen; what was begun was answered.
  int answers = 0;
  while (outbox.Pop(absl::ZeroDuration()).has_value()) ++answers;
  CHECK(answers == checks);
  CHECK(answers >= 1);
}

}  // namespace
}  // namespace rm::worker
