#include "runtime/coordinator/preflights.h"

#include <memory>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "runtime/coordinator/fake_worker_link.h"

namespace rm::coordinator {
namespace {

namespace pb = ::ringmaster::v1;

struct Cluster {
  AttachedWorkers workers;
  Preflights preflights{workers};
  std::map<std::string, std::shared_ptr<FakeWorkerLink>> links;
  std::vector<std::string> answers;  // "job: error error"
  absl::Duration now = absl::Seconds(100);

  void Attach(const std::string& id, const std::string& zone = "") {
    pb::Hello hello;
    hello.set_worker_id(id);
    if (!zone.empty()) (*hello.mutable_labels())["zone"] = zone;
    links[id] = std::make_shared<FakeWorkerLink>();
    workers.Attach(hello, links[id]);
    workers.Admit(id, "");
  }
  void Detach(const std::string& id) {
    REQUIRE(workers.Detach(id, links[id].get()));
    preflights.OnDetached(id);
  }
  void Ask(const std::string& job, const std::string& zone = "") {
    pb::PreflightRequest request;
    request.set_job_id(job);
    if (!zone.empty()) {
      (*request.mutable_spec()->mutable_resources()->mutable_node_selector())["zone"] = zone;
    }
    preflights.Ask(request, [this, job](const std::vector<std::string>& errors) {
      answers.push_back(job + ":");
      for (const std::string& error : errors) answers.back() += " " + error;
    });
    preflights.Check(now);
  }
  bool Answer(const std::string& job, const std::vector<std::string>& errors = {}) {
    pb::PreflightReport report;
    report.set_job_id(job);
    for (const std::string& error : errors) report.add_errors(error);
    return preflights.OnReport(report);
  }
  // The jobs that the worker was asked about, in order.
  std::vector<std::string> AskedOf(const std::string& id) {
    std::vector<std::string> jobs;
    for (const pb::WorkerCommand& command : links[id]->sent) {
      jobs.push_back(command.preflight().job_id());
    }
    return jobs;
  }
  void Pass(absl::Duration duration) {
    now += duration;
    preflights.Check(now);
  }
};

using Jobs = std::vector<std::string>;

TEST_CASE("a question is asked of one worker, and its answer reaches who asked") {
  Cluster cluster;
  cluster.Attach("w1");
  cluster.Attach("w2");
  cluster.Ask("a");
  CHECK(cluster.AskedOf("w1") == Jobs{"a"});
  CHECK(cluster.AskedOf("w2").empty());
  CHECK(cluster.Answer("a", {"no-data", "no-model"}));
  CHECK(cluster.answers == Jobs{"a: no-data no-model"});
  CHECK(cluster.preflights.open() == 0);
}

TEST_CASE("questions are spread over the workers") {
  Cluster cluster;
  cluster.Attach("w1");
  cluster.Attach("w2");
  for (const char* job : {"a", "b", "c"}) cluster.Ask(job);
  CHECK(cluster.AskedOf("w1") == Jobs{"a", "c"});
  CHECK(cluster.AskedOf("w2") == Jobs{"b"});
}

TEST_CASE("without a worker a question waits for one") {
  Cluster cluster;
  cluster.Ask("a");
  CHECK(cluster.preflights.waiting() == 1);
  cluster.Attach("w1");
  cluster.Pass(absl::Milliseconds(200));
  CHECK(cluster.AskedOf("w1") == Jobs{"a"});
  CHECK(cluster.preflights.waiting() == 0);
}

TEST_CASE("only a worker that fits the node selector is asked") {
  Cluster cluster;
  cluster.Attach("w1", "b");
  cluster.Attach("w2");
  cluster.Ask("a", "a");
  CHECK(cluster.preflights.waiting() == 1);
  cluster.Attach("w3", "a");
  cluster.Pass(absl::Milliseconds(200));
  CHECK(cluster.AskedOf("w3") == Jobs{"a"});
}

TEST_CASE("when a worker is lost, its questions go to another") {
  Cluster cluster;
  cluster.Attach("w1");
  cluster.Ask("a");
  cluster.Attach("w2");
  cluster.Detach("w1");
  cluster.Pass(absl::Milliseconds(200));
  CHECK(cluster.AskedOf("w2") == Jobs{"a"});
}

TEST_CASE("who does not answer for 30 s is asked no more, if there is another") {
  Cluster cluster;
  cluster.Attach("w1");
  cluster.Attach("w2");
  cluster.Ask("a");
  cluster.Pass(absl::Seconds(29));
  CHECK(cluster.AskedOf("w2").empty());
  cluster.Pass(absl::Seconds(1));
  CHECK(cluster.AskedOf("w2") == Jobs{"a"});
  // The late answer of the first is as good as any.
  CHECK(cluster.Answer("a"));
  CHECK(cluster.answers == Jobs{"a:"});
  CHECK_FALSE(cluster.Answer("a"));
  CHECK(cluster.answers.size() == 1);
}

TEST_CASE("a single worker that does not answer is asked again") {
  Cluster cluster;
  cluster.Attach("w1");
  cluster.Ask("a");
  cluster.Pass(absl::Seconds(30));
  CHECK(cluster.AskedOf("w1") == Jobs{"a", "a"});
}

TEST_CASE("a question that is open is not asked twice, and a dropped one is not answered") {
  Cluster cluster;
  cluster.Attach("w1");
  cluster.Ask("a");
  cluster.Ask("a");
  CHECK(cluster.AskedOf("w1") == Jobs{"a"});
  cluster.preflights.Cancel("a");
  CHECK_FALSE(cluster.Answer("a"));
  CHECK(cluster.answers.empty());
}

TEST_CASE("an answer may ask the next question") {
  Cluster cluster;
  cluster.Attach("w1");
  pb::PreflightRequest request;
  request.set_job_id("a");
  cluster.preflights.Ask(request, [&](const std::vector<std::string>&) { cluster.Ask("b"); });
  cluster.Pass(absl::ZeroDuration());
  CHECK(cluster.Answer("a"));
  CHECK(cluster.AskedOf("w1") == Jobs{"a", "b"});
}

TEST_CASE("a worker that does not see the storage is not asked") {
  Cluster cluster;
  cluster.Attach("a");
  cluster.workers.Admit("a", "it reads something else");
  cluster.Ask("job");
  CHECK(cluster.AskedOf("a").empty());
  CHECK(cluster.preflights.waiting() == 1);
  cluster.workers.Admit("a", "");
  cluster.preflights.Check(cluster.now);
  CHECK(cluster.AskedOf("a") == std::vector<std::string>{"job"});
}

}  // namespace
}  // namespace rm::coordinator
