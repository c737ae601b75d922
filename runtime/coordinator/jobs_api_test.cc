#include "runtime/coordinator/jobs_api.h"

#include <optional>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "runtime/coordinator/test_world.h"

namespace rm::coordinator {
namespace {

namespace pb = ::ringmaster::v1;
using Texts = std::vector<std::string>;

// Takes one answer.
template <typename R>
struct Taken {
  std::optional<absl::StatusOr<R>> answer;
  Answer<R> Take() {
    return [this](absl::StatusOr<R> given) {
      REQUIRE_FALSE(answer.has_value());
      answer = std::move(given);
    };
  }
  [[nodiscard]] bool ok() const { return answer.has_value() && answer->ok(); }
  const R& value() const { return answer->value(); }
  [[nodiscard]] absl::Status status() const {
    return answer.has_value() ? answer->status() : absl::UnknownError("no answer yet");
  }
};

// A world whose job ids count up.
struct Api {
  TestWorld world;
  uint64_t next_id = 0;
  JobsApi api{world.coordinator(), [this] { return next_id++; }};

  pb::SubmitRequest Request(const std::string& name, int32_t ranks) {
    pb::SubmitRequest request;
    *request.mutable_spec() = SpecOf(name, ranks);
    return request;
  }
  // Submits and ticks.
  std::unique_ptr<Taken<pb::SubmitReply>> Submit(const pb::SubmitRequest& request) {
    auto taken = std::make_unique<Taken<pb::SubmitReply>>();
    api.Submit(request, taken->Take());
    world.Tick();
    return taken;
  }
  void Verdict(TestWorker& worker, const std::string& id, const Texts& errors = {}) {
    pb::WorkerMessage message;
    message.mutable_preflight()->set_job_id(id);
    for (const std::string& error : errors) message.mutable_preflight()->add_errors(error);
    worker.Say(message);
  }
};

TEST_CASE("a submission is answered when it is durable, with its id and its state") {
  Api api;
  Taken<pb::SubmitReply> taken;
  api.api.Submit(api.Request("mnist", 1), taken.Take());
  CHECK_FALSE(taken.answer.has_value());
  api.world.Tick();
  REQUIRE(taken.ok());
  CHECK(taken.value().job_id() == "mnist-aaaaaa");
  CHECK(taken.value().job().state() == pb::QUEUED);
  CHECK(taken.value().job().reason().code() == "Preflight");
  api.world.Restart();
  CHECK(api.world.StateOf("mnist-aaaaaa") == pb::QUEUED);
}

TEST_CASE("an id that is taken is not given again") {
  Api api;
  REQUIRE(api.Submit(api.Request("mnist", 1))->ok());
  api.next_id = 0;
  CHECK(api.Submit(api.Request("mnist", 1))->value().job_id() == "mnist-baaaaa");
}

TEST_CASE("the same request makes one job, before and after it is durable, and after a restart") {
  Api api;
  pb::SubmitRequest request = api.Request("mnist", 1);
  request.set_request_id("once");
  Taken<pb::SubmitReply> first;
  Taken<pb::SubmitReply> second;
  api.api.Submit(request, first.Take());
  api.api.Submit(request, second.Take());
  api.world.Tick();
  REQUIRE(first.ok());
  REQUIRE(second.ok());
  CHECK(first.value().job_id() == second.value().job_id());
  CHECK(api.Submit(request)->value().job_id() == "mnist-aaaaaa");
  CHECK(api.world.coordinator().history().jobs().size() == 1);

  api.world.Restart();
  JobsApi again(api.world.coordinator(), [] { return 77; });
  Taken<pb::SubmitReply> third;
  again.Submit(request, third.Take());
  api.world.Tick();
  REQUIRE(third.ok());
  CHECK(third.value().job_id() == "mnist-aaaaaa");
}

TEST_CASE("submitting waits for the verdict of the preflight, but not longer than asked") {
  Api api;
  TestWorker w1(api.world, "w1", 1);
  pb::SubmitRequest request = api.Request("mnist", 1);
  request.set_preflight_wait_seconds(10);

  SECTION("it passes") {
    const auto taken = api.Submit(request);
    CHECK_FALSE(taken->answer.has_value());
    api.Verdict(w1, "mnist-aaaaaa");
    REQUIRE(taken->ok());
    CHECK(taken->value().preflight_errors().empty());
    CHECK(taken->value().job().state() == pb::STARTING);
  }
  SECTION("it fails") {
    const auto taken = api.Submit(request);
    api.Verdict(w1, "mnist-aaaaaa", {"data/train: not found on w1", "conv1: shapes differ"});
    REQUIRE(taken->ok());
    REQUIRE(taken->value().preflight_errors_size() == 2);
    CHECK(taken->value().preflight_errors(1) == "conv1: shapes differ");
    CHECK(taken->value().job().state() == pb::FAILED);
  }
  SECTION("it takes too long") {
    const auto taken = api.Submit(request);
    for (int i = 0; i < 49; ++i) {
      api.world.Pass(absl::Milliseconds(200));
      w1.Beats();
    }
    CHECK_FALSE(taken->answer.has_value());
    api.world.Pass(absl::Milliseconds(200));
    REQUIRE(taken->ok());
    CHECK(taken->value().job().state() == pb::QUEUED);
    CHECK(taken->value().preflight_errors().empty());
  }
  SECTION("nobody waits for ever") {
    request.set_preflight_wait_seconds(1e12);
    const auto taken = api.Submit(request);
    for (int i = 0; i < 310; ++i) {
      api.world.Pass(absl::Milliseconds(200));
      w1.Beats();
    }
    CHECK(taken->ok());
  }
}

TEST_CASE("a gang that can never fit is refused with the numbers") {
  Api api;
  TestWorker w1(api.world, "w1", 1);
  TestWorker w2(api.world, "w2", 1);
  const auto taken = api.Submit(api.Request("mnist", 3));
  CHECK(absl::IsResourceExhausted(taken->status()));
  CHECK(taken->status().message() ==
        "refused: 3 ranks × 1 slot = 3 slots, the cluster has 2 (w1: 1, w2: 1)");
  CHECK(api.world.coordinator().history().jobs().empty());
}

TEST_CASE("a cluster without workers takes every job: they may come") {
  Api api;
  CHECK(api.Submit(api.Request("mnist", 100))->ok());
}

TEST_CASE("a dry run is checked and leaves no job") {
  Api api;
  TestWorker w1(api.world, "w1", 1);
  (void)w1.TakeCommands();
  pb::SubmitRequest request = api.Request("mnist", 1);
  request.set_validate_only(true);
  request.set_preflight_wait_seconds(10);

  SECTION("with its preflight") {
    const auto taken = api.Submit(request);
    const Texts asked = w1.TakeCommands();
    REQUIRE(asked.size() == 1);
    api.Verdict(w1, asked[0].substr(std::string("Preflight ").size()), {"no such file"});
    REQUIRE(taken->ok());
    CHECK(taken->value().job_id().empty());
    CHECK(taken->value().preflight_errors(0) == "no such file");
  }
  SECTION("without waiting for it") {
    request.set_preflight_wait_seconds(0);
    CHECK(api.Submit(request)->ok());
    CHECK(api.world.coordinator().preflights().open() == 0);
  }
  SECTION("that can never fit") {
    *request.mutable_spec() = SpecOf("mnist", 9);
    CHECK(absl::IsResourceExhausted(api.Submit(request)->status()));
  }
  CHECK(api.world.coordinator().history().jobs().empty());
}

TEST_CASE("a job is changed by any unique beginning of its id, and shown as it is then") {
  Api api;
  REQUIRE(api.Submit(api.Request("mnist", 1))->ok());
  const auto change = [&](void (JobsApi::*method)(const std::string&, Answer<pb::Job>)) {
    Taken<pb::Job> taken;
    (api.api.*method)("mn", taken.Take());
    api.world.Tick();
    REQUIRE(taken.ok());
    return taken.value().state();
  };
  CHECK(change(&JobsApi::Pause) == pb::PAUSED);
  CHECK(change(&JobsApi::Resume) == pb::QUEUED);
  CHECK(change(&JobsApi::Cancel) == pb::CANCELLED);
}

TEST_CASE("a change that does not fit is refused with the reason") {
  Api api;
  REQUIRE(api.Submit(api.Request("mnist", 1))->ok());
  Taken<pb::Job> not_paused;
  api.api.Resume("mnist", not_paused.Take());
  Taken<pb::Job> unknown;
  api.api.Kill("nobody", unknown.Take());
  api.world.Tick();
  CHECK(absl::IsFailedPrecondition(not_paused.status()));
  CHECK(absl::IsNotFound(unknown.status()));
  REQUIRE(api.world.Cancel("mnist-aaaaaa").ok());
  Taken<pb::Job> ended;
  api.api.Kill("mnist", ended.Take());
  api.world.Tick();
  CHECK(absl::IsFailedPrecondition(ended.status()));
  CHECK(absl::StrContains(ended.status().message(), "has ended as Cancelled"));
}

TEST_CASE("jobs are listed newest first, page by page") {
  Api api;
  for (int i = 0; i < 5; ++i) REQUIRE(api.Submit(api.Request(absl::StrCat("j", i), 1))->ok());
  REQUIRE(api.world.Cancel("j2-caaaaa").ok());
  pb::ListJobsRequest request;
  request.set_page_size(2);
  Texts names;
  int pages = 0;
  do {
    const auto page = api.api.List(request);
    REQUIRE(page.ok());
    for (const pb::Job& job : page->jobs()) names.push_back(job.spec().name());
    request.set_page_token(page->next_page_token());
    ++pages;
  } while (!request.page_token().empty());
  CHECK(names == Texts{"j4", "j3", "j1", "j0"});
  CHECK(pages == 2);

  request.Clear();
  request.set_all(true);
  CHECK(api.api.List(request)->jobs_size() == 5);
  request.set_state(pb::CANCELLED);
  REQUIRE(api.api.List(request)->jobs_size() == 1);
  CHECK(api.api.List(request)->jobs(0).spec().name() == "j2");
  for (const char* token : {"x", "-1", "99"}) {
    request.set_page_token(token);
    CHECK(absl::IsInvalidArgument(api.api.List(request).status()));
  }
}

TEST_CASE("one job can be asked for, and why it waits") {
  Api api;
  TestWorker w1(api.world, "w1", 1);
  const std::string first = RunJob(api.world, w1, "first", 1);
  const std::string second = api.world.Submit("second", 1);
  CHECK(api.api.Get("fir")->job_id() == first);
  CHECK(absl::IsNotFound(api.api.Get("x").status()));
  const auto why = api.api.Explain("second");
  REQUIRE(why.ok());
  REQUIRE(why->holders_size() == 1);
  CHECK(why->holders(0).job_id() == first);
  CHECK(absl::IsNotFound(api.api.Explain("x").status()));
}

TEST_CASE("streams are opened for jobs that are there") {
  Api api;
  REQUIRE(api.Submit(api.Request("mnist", 1))->ok());
  pb::LogsRequest logs;
  logs.set_job_id("mn");
  logs.set_follow(true);
  logs.set_rank(0);
  logs.set_tail(5);
  logs.set_since_seconds(60);
  const auto options = api.api.Logs(logs);
  REQUIRE(options.ok());
  CHECK(options->job_id == "mnist-aaaaaa");
  CHECK(options->follow);
  CHECK_FALSE(options->job_ended);
  CHECK(options->rank == 0);
  CHECK(options->tail == 5);
  CHECK(options->since == api.world.clock().Now() - absl::Seconds(60));
  logs.clear_rank();
  REQUIRE(api.world.Cancel("mnist-aaaaaa").ok());
  CHECK(api.api.Logs(logs)->job_ended);
  CHECK_FALSE(api.api.Logs(logs)->rank.has_value());
  logs.set_job_id("x");
  CHECK(absl::IsNotFound(api.api.Logs(logs).status()));
  CHECK(absl::IsNotFound(api.api.Watch("x").status()));
  pb::EventsRequest events;
  CHECK(api.api.Events(events).ok());
  events.set_job_id("x");
  CHECK(absl::IsNotFound(api.api.Events(events).status()));
}

TEST_CASE("requests with nonsense in them are refused as such, and change nothing") {
  Api api;
  const std::string huge(8 << 20, 'x');
  for (const std::string& id : {std::string(), huge, std::string("a\nb"), std::string("\0", 1)}) {
    CAPTURE(id.size());
    CHECK(absl::IsInvalidArgument(api.api.Get(id).status()));
    CHECK(absl::IsInvalidArgument(api.api.Explain(id).status()));
    CHECK(absl::IsInvalidArgument(api.api.Watch(id).status()));
    for (const auto method :
         {&JobsApi::Cancel, &JobsApi::Kill, &JobsApi::Pause, &JobsApi::Resume}) {
      Taken<pb::Job> taken;
      (api.api.*method)(id, taken.Take());
      CHECK(absl::IsInvalidArgument(taken.status()));
      CHECK(taken.status().message().size() < 200);
    }
    pb::LogsRequest logs;
    logs.set_job_id(id);
    CHECK(absl::IsInvalidArgument(api.api.Logs(logs).status()));
    pb::EventsRequest events;
    events.set_job_id(id);
    CHECK((id.empty() || absl::IsInvalidArgument(api.api.Events(events).status())));
  }
  for (const char* const token : {"-1", "1e9", "99999999999999999999999", "x", "0x10", " 1 x"}) {
    pb::ListJobsRequest list;
    list.set_page_token(token);
    CHECK(absl::IsInvalidArgument(api.api.List(list).status()));
  }
  pb::ListJobsRequest list;
  list.set_page_size(-1);
  CHECK(absl::IsInvalidArgument(api.api.List(list).status()));

  pb::SubmitRequest big = api.Request("mnist", 1);
  big.set_user(huge);
  CHECK(absl::IsInvalidArgument(api.Submit(big)->status()));
  big = api.Request("mnist", 1);
  big.set_request_id(huge);
  CHECK(absl::IsInvalidArgument(api.Submit(big)->status()));
  CHECK(api.world.coordinator().state().jobs().empty());
}

}  // namespace
}  // namespace rm::coordinator
