#include "tools/trainctl/checkpoint_choice.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <map>
#include <string>

#include "runtime/client/testing.h"

namespace rm::trainctl {
namespace {

namespace pb = ::ringmaster::v1;
using Metrics = std::map<std::string, double>;

TEST_CASE("a job's name says which of its checkpoints is meant", "[choice]") {
  const struct {
    const char* word;
    const char* job;
    bool best;
    int64_t step;
  } cases[] = {{"mnist", "mnist", false, 0},
               {"mnist@latest", "mnist", false, 0},
               {"mnist@best", "mnist", true, 0},
               {"mnist@1000", "mnist", false, 1000}};
  for (const auto& c : cases) {
    CAPTURE(c.word);
    const auto choice = ParseCheckpointChoice(c.word);
    REQUIRE(choice.ok());
    CHECK(choice->job == c.job);
    CHECK(choice->best == c.best);
    CHECK(choice->step == c.step);
  }
  for (const char* word : {"mnist@", "mnist@0", "mnist@-1", "mnist@worst", "mnist@best@2"}) {
    CAPTURE(word);
    CHECK(absl::IsInvalidArgument(ParseCheckpointChoice(word).status()));
  }
  CHECK(ParseCheckpointChoice("mnist@worst").status().message() ==
        "'@worst' is not @latest, @best or @STEP");
}

// A list of checkpoints, as the coordinator sends it: newest first.
class Listed {
 public:
  Listed& Add(int64_t step, const Metrics& metrics, bool counts = true) {
    pb::CheckpointInfo& info = *reply_.add_checkpoints();
    info.set_step(step);
    info.set_counts(counts);
    info.mutable_metrics()->insert(metrics.begin(), metrics.end());
    return *this;
  }
  absl::StatusOr<int64_t> Best(const std::string& metric = "", const std::string& mode = "") const {
    pb::CheckpointSpec spec;
    spec.set_keep_metric(metric);
    spec.set_keep_mode(mode);
    return StepOfBest(reply_, spec);
  }

 private:
  pb::ListCheckpointsReply reply_;
};

TEST_CASE("best is the highest accuracy, or the lowest loss where there is none", "[choice]") {
  CHECK(Listed()
            .Add(30, {{"validation/accuracy", 0.8}, {"validation/loss", 0.1}})
            .Add(20, {{"validation/accuracy", 0.9}, {"validation/loss", 0.2}})
            .Add(10, {{"validation/accuracy", 0.9}})
            .Best()
            .value() == 20);  // of equals the newer one
  CHECK(Listed()
            .Add(30, {{"validation/loss", 0.3}})
            .Add(20, {{"validation/loss", 0.2}})
            .Add(10, {{"train/loss", 0.1}})
            .Best()
            .value() == 20);
}

TEST_CASE("a job that says what best means is obeyed", "[choice]") {
  Listed listed;
  listed.Add(20, {{"train/loss", 0.5}, {"validation/accuracy", 0.9}}).Add(10, {{"train/loss", 0.2}});
  CHECK(listed.Best("train/loss", "min").value() == 10);
  CHECK(listed.Best("train/loss", "max").value() == 20);
  CHECK(listed.Best("train/loss").value() == 20);
}

TEST_CASE("what does not count is never the best, and nothing may be", "[choice]") {
  CHECK(Listed()
            .Add(20, {{"validation/accuracy", 0.9}}, /*counts=*/false)
            .Add(10, {{"validation/accuracy", 0.5}})
            .Best()
            .value() == 10);
  // A training that went astray: nothing compares with what is no number.
  CHECK(Listed()
            .Add(20, {{"validation/loss", std::nan("")}})
            .Add(10, {{"validation/loss", 0.5}})
            .Best()
            .value() == 10);
  CHECK(Listed().Best().status() == absl::NotFoundError("the job has no checkpoint yet"));
  CHECK(absl::IsNotFound(Listed().Add(20, {}, /*counts=*/false).Best().status()));
  const absl::Status none = Listed().Add(20, {{"train/loss", 1}}).Best().status();
  CHECK(absl::IsFailedPrecondition(none));
  CHECK(none.message() ==
        "no checkpoint of the job has validation/accuracy or validation/loss: give the job validation "
        "data, or take @latest or @STEP ('trainctl checkpoint ls JOB')");
}

TEST_CASE("the coordinator is asked only where best is meant", "[choice]") {
  client::FakeCoordinator coordinator;
  client::Client client(coordinator.address());
  CHECK(FindStep(client, {"mnist", false, 12}).value() == 12);
  coordinator.methods.get = [](const pb::GetJobRequest& request, pb::Job* job) {
    CHECK(request.job_id() == "mnist");
    job->set_job_id("mnist-1a2b");
    return grpc::Status::OK;
  };
  coordinator.methods.list_checkpoints = [](const pb::GetJobRequest& request,
                                            pb::ListCheckpointsReply* reply) {
    CHECK(request.job_id() == "mnist-1a2b");
    pb::CheckpointInfo& info = *reply->add_checkpoints();
    info.set_step(40);
    info.set_counts(true);
    (*info.mutable_metrics())["validation/accuracy"] = 1;
    return grpc::Status::OK;
  };
  CHECK(FindStep(client, {"mnist", true, 0}).value() == 40);
}

}  // namespace
}  // namespace rm::trainctl
