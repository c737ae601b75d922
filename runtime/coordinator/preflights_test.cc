#include "runtime/coordinator/preflights.h"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "runtime/coordinator/fake_worker_link.h"

namespace rm::coordinator {
namespace {

namespace pb = ::ringmaster::v1;

struct Cluster {
  AttachedWorkers workers;
  std::set<std::string> draining;
  Preflights preflights{workers, [this](const std::string& id) { return draining.count(id) == 0; }};
  std::map<std::string, std::shared_ptr<FakeWorkerLink>> links;
  std::vector<std::string> answers;  // "job: error error"
  absl::Duration now = absl::Seconds(100);

  void Attach(const std::string& id, const std::string& zone = "", const std::string& host = "h") {
    pb::Hello hello;
    hello.set_worker_id(id);
    hello.set_host(host);
    if (!zone.empty()) (*hello.mutable_labels())["zone"] = zone;
    links[id] = std::make_shared<FakeWorkerLink>();
    workers.Attach(hello, links[id]);
    workers.Admit(id, "");
  }
  void AttachOn(const std::string& host, const std::string& id) { Attach(id, "", host); }
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
  bool Answer(const std::string& id, const std::string& job,
              const std::vector<std::string>& errors = {}) {
    pb::PreflightReport report;
    report.set_job_id(job);
    for (const std::string& error : errors) report.add_errors(error);
    return preflights.OnReport(id, report);
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

TEST_CASE("of the workers of a host one is asked, and its answer reaches who asked") {
  Cluster cluster;
  cluster.Attach("w1");
  cluster.Attach("w2");
  cluster.Ask("a");
  CHECK(cluster.AskedOf("w1") == Jobs{"a"});
  CHECK(cluster.AskedOf("w2").empty());
  CHECK(cluster.Answer("w1", "a", {"no-data", "no-model"}));
  CHECK(cluster.answers == Jobs{"a: no-data no-model"});
  CHECK(cluster.preflights.open() == 0);
}

TEST_CASE("questions are spread over the workers of a host") {
  Cluster cluster;
  cluster.Attach("w1");
  cluster.Attach("w2");
  for (const char* job : {"a", "b", "c"}) cluster.Ask(job);
  CHECK(cluster.AskedOf("w1") == Jobs{"a", "c"});
  CHECK(cluster.AskedOf("w2") == Jobs{"b"});
}

TEST_CASE("each host is asked, and the job can run when all of them say so") {
  Cluster cluster;
  for (const char* const host : {"h1", "h2", "h3"}) {
    cluster.AttachOn(host, std::string("a-on-") + host);
    cluster.AttachOn(host, std::string("b-on-") + host);
  }
  cluster.Ask("job");
  for (const char* const host : {"h1", "h2", "h3"}) {
    CHECK(cluster.answers.empty());
    CHECK(cluster.AskedOf(std::string("a-on-") + host) == Jobs{"job"});
    CHECK(cluster.AskedOf(std::string("b-on-") + host).empty());
    CHECK(cluster.Answer(std::string("a-on-") + host, "job"));
  }
  CHECK(cluster.answers == Jobs{"job:"});
}

TEST_CASE("what only some hosts lack names them; what all lack is said once") {
  Cluster cluster;
  for (const char* const host : {"h1", "h2", "h3"}) {
    cluster.AttachOn(host, std::string("on-") + host);
  }
  const std::string kOthers =
      "of 3 hosts asked, the others have no such trouble: mend it there, or keep the job off with "
      "resources.node_selector)";
  cluster.Ask("job");
  CHECK(cluster.Answer("on-h3", "job", {"1:2: on host h3: no file", "no model", "no op"}));
  CHECK(cluster.Answer("on-h1", "job", {"no model"}));
  CHECK(cluster.Answer("on-h2", "job", {"1:2: on host h2: no file", "no model"}));
  REQUIRE(cluster.answers.size() == 1);
  CHECK(cluster.answers[0] == "job: no model 1:2: on hosts h2, h3: no file (" + kOthers +
                                  " no op (on host h3; " + kOthers);

  cluster.Ask("another");
  for (const std::string host : {"h1", "h2", "h3"}) {
    CHECK(cluster.Answer("on-" + host, "another", {"on host " + host + ": full"}));
  }
  CHECK(cluster.answers.back() == "another: on hosts h1, h2, h3: full");
}

TEST_CASE("hosts that are lost or silent do not hold up a job that others have answered for") {
  Cluster cluster;
  for (const char* const host : {"h1", "h2", "h3"}) {
    cluster.AttachOn(host, std::string("on-") + host);
  }
  cluster.Ask("job");
  CHECK(cluster.Answer("on-h1", "job"));
  cluster.Detach("on-h2");
  cluster.Pass(absl::Seconds(1));
  CHECK(cluster.answers.empty());  // h3 may still speak
  cluster.Pass(absl::Seconds(30));
  CHECK(cluster.answers == Jobs{"job:"});
  CHECK_FALSE(cluster.Answer("on-h3", "job", {"too late"}));
}

TEST_CASE("when all that were asked are gone, whoever comes is asked") {
  Cluster cluster;
  cluster.AttachOn("h1", "w1");
  cluster.AttachOn("h2", "w2");
  cluster.Ask("job");
  cluster.Detach("w1");
  cluster.Detach("w2");
  cluster.Pass(absl::Seconds(1));
  CHECK(cluster.preflights.waiting() == 1);
  cluster.AttachOn("h3", "w3");
  cluster.Pass(absl::Seconds(1));
  CHECK(cluster.AskedOf("w3") == Jobs{"job"});
}

TEST_CASE("a host that takes no new work is not asked, unless there is no other") {
  Cluster cluster;
  cluster.AttachOn("h1", "w1");
  cluster.AttachOn("h2", "w2");
  cluster.draining = {"w1"};
  cluster.Ask("a");
  CHECK(cluster.AskedOf("w1").empty());
  CHECK(cluster.AskedOf("w2") == Jobs{"a"});
  CHECK_FALSE(cluster.Answer("w1", "a"));
  cluster.draining = {"w1", "w2"};
  cluster.Ask("b");
  CHECK(cluster.AskedOf("w1") == Jobs{"b"});
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
  CHECK(cluster.Answer("w1", "a"));
  CHECK(cluster.answers == Jobs{"a:"});
  CHECK_FALSE(cluster.Answer("w1", "a"));
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
  CHECK_FALSE(cluster.Answer("w1", "a"));
  CHECK(cluster.answers.empty());
}

TEST_CASE("an answer may ask the next question") {
  Cluster cluster;
  cluster.Attach("w1");
  pb::PreflightRequest request;
  request.set_job_id("a");
  cluster.preflights.Ask(request, [&](const std::vector<std::string>&) { cluster.Ask("b"); });
  cluster.Pass(absl::ZeroDuration());
  CHECK(cluster.Answer("w1", "a"));
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
