#include "runtime/coordinator/request_limits.h"

#include <limits>
#include <string>

#include <catch2/catch.hpp>

#include "absl/strings/match.h"

namespace rm::coordinator {
namespace {

namespace pb = ::ringmaster::v1;

const std::string kHuge(10 << 20, 'x');
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Refused as a bad request, in a line that a terminal shows whole.
void CheckRefused(const absl::Status& status, const std::string& field) {
  INFO(status);
  CHECK(absl::IsInvalidArgument(status));
  CHECK(absl::StrContains(status.message(), field));
  CHECK(status.message().size() < 200);
  CHECK_FALSE(absl::StrContains(status.message(), '\n'));
}

TEST_CASE("a name is short and plain, and may be in any language") {
  CHECK(CheckName("user", "").ok());
  CHECK(CheckName("user", "Ada Lovelace <ada@example.org>").ok());
  CHECK(CheckName("user", "Grüße 你好").ok());
  CHECK(CheckName("user", std::string(256, 'x')).ok());
  CheckRefused(CheckName("user", std::string(257, 'x')), "user has 257 bytes");
  CheckRefused(CheckName("user", "a\nb"), "user has control characters");
  CheckRefused(CheckName("user", std::string("a\0b", 3)), "user has control characters");
  CheckRefused(CheckName("user", "\x1b[2J"), "user has control characters");
}

TEST_CASE("a submission is bounded as a whole and in its names") {
  pb::SubmitRequest request;
  CHECK(CheckLimits(request).ok());
  request.mutable_spec()->set_name(kHuge);
  CheckRefused(CheckLimits(request), "the submission has");
  request.Clear();
  request.set_request_id(std::string(1000, 'x'));
  CheckRefused(CheckLimits(request), "request_id");
  request.Clear();
  request.set_user("a\tb");
  CheckRefused(CheckLimits(request), "user");
}

TEST_CASE("numbers that can mean nothing are refused") {
  pb::ListJobsRequest list;
  CHECK(CheckLimits(list).ok());
  list.set_page_size(-1);
  CheckRefused(CheckLimits(list), "page_size must not be negative, it is -1");
  list.set_page_size(0);
  list.set_page_token(kHuge);
  CheckRefused(CheckLimits(list), "page_token");
  list.clear_page_token();
  list.set_state(static_cast<pb::JobState>(99));
  CheckRefused(CheckLimits(list), "there is no job state 99");

  pb::LogsRequest logs;
  CHECK(CheckLimits(logs).ok());
  logs.set_rank(-1);
  CheckRefused(CheckLimits(logs), "rank");
  logs.set_rank(0);
  logs.set_tail(-5);
  CheckRefused(CheckLimits(logs), "tail");
  logs.set_tail(0);
  for (const double seconds : {-1.0, kNan}) {
    logs.set_since_seconds(seconds);
    CheckRefused(CheckLimits(logs), "since_seconds");
  }

  pb::VerifyRequest verify;
  CHECK(CheckLimits(verify).ok());
  verify.set_step(-7);
  CheckRefused(CheckLimits(verify), "step");
}

TEST_CASE("a worker's names are bounded") {
  struct Case {
    const char* field;
    void (*spoil)(pb::Hello&);
  };
  const Case cases[] = {
      {"the worker has no id", [](pb::Hello& hello) { hello.clear_worker_id(); }},
      {"worker_id", [](pb::Hello& hello) { hello.set_worker_id(kHuge); }},
      {"worker_id", [](pb::Hello& hello) { hello.set_worker_id("w\n1"); }},
      {"host", [](pb::Hello& hello) { hello.set_host(kHuge); }},
      {"version", [](pb::Hello& hello) { hello.set_version(kHuge); }},
      {"advertise_host", [](pb::Hello& hello) { hello.set_advertise_host("\x7f"); }},
      {"a label", [](pb::Hello& hello) { (*hello.mutable_labels())["a\rb"] = "x"; }},
      {"a label", [](pb::Hello& hello) { (*hello.mutable_labels())["a"] = kHuge; }},
      {"1001 labels",
       [](pb::Hello& hello) {
         for (int i = 0; i <= kLabelsMax; ++i) (*hello.mutable_labels())[std::to_string(i)] = "";
       }},
  };
  for (const Case& c : cases) {
    pb::Hello hello;
    hello.set_worker_id("w1");
    CHECK(CheckLimits(hello).ok());
    c.spoil(hello);
    CheckRefused(CheckLimits(hello), c.field);
  }
}

}  // namespace
}  // namespace rm::coordinator
