#include "runtime/coordinator/attached_workers.h"

#include <memory>

#include <catch2/catch.hpp>

#include "runtime/coordinator/fake_worker_link.h"

namespace rm::coordinator {
namespace {

namespace pb = ::ringmaster::v1;

pb::Hello HelloOf(const std::string& worker_id) {
  pb::Hello hello;
  hello.set_worker_id(worker_id);
  return hello;
}

TEST_CASE("a command reaches the worker that is attached, and nobody else") {
  AttachedWorkers workers;
  const auto link = std::make_shared<FakeWorkerLink>();
  workers.Attach(HelloOf("w1"), link);
  pb::WorkerCommand command;
  command.mutable_welcome()->set_version("1");
  CHECK(workers.Send("w1", command));
  CHECK_FALSE(workers.Send("w2", command));
  REQUIRE(link->sent.size() == 1);
  CHECK(link->sent[0].welcome().version() == "1");
}

TEST_CASE("who attaches anew takes the place of its former stream, which is closed") {
  AttachedWorkers workers;
  const auto first = std::make_shared<FakeWorkerLink>();
  const auto second = std::make_shared<FakeWorkerLink>();
  workers.Attach(HelloOf("w1"), first);
  workers.Attach(HelloOf("w1"), second);
  CHECK(absl::IsAborted(first->closed));
  CHECK(second->closed.ok());
  CHECK(workers.IsPresent("w1", second.get()));
  // The end of the former stream, reported late, changes nothing.
  CHECK_FALSE(workers.Detach("w1", first.get()));
  CHECK(workers.Find("w1") != nullptr);
  CHECK(workers.Detach("w1", second.get()));
  CHECK(workers.Find("w1") == nullptr);
  CHECK(second->closed.ok());
}

TEST_CASE("closing takes a worker out and tells it why") {
  AttachedWorkers workers;
  const auto one = std::make_shared<FakeWorkerLink>();
  const auto two = std::make_shared<FakeWorkerLink>();
  workers.Attach(HelloOf("w1"), one);
  workers.Attach(HelloOf("w2"), two);
  workers.Close("w1", absl::UnavailableError("silent"));
  workers.Close("w3", absl::UnavailableError("never there"));
  CHECK(one->closed.message() == "silent");
  CHECK(workers.all().size() == 1);
  workers.CloseAll(absl::UnavailableError("stopping"));
  CHECK(two->closed.message() == "stopping");
  CHECK(workers.all().empty());
}

TEST_CASE("what was heard is taken once") {
  FakeWorkerLink link;
  CHECK_FALSE(link.TakeHeard());
  link.Hear();
  link.Hear();
  CHECK(link.TakeHeard());
  CHECK_FALSE(link.TakeHeard());
}

}  // namespace
}  // namespace rm::coordinator
