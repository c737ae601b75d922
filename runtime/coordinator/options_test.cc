#include "runtime/coordinator/options.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "absl/strings/match.h"

namespace rm::coordinator {
namespace {

struct Parsed {
  Options options;
  absl::Status status;
};

Parsed Parse(std::vector<const char*> words) {
  Parsed parsed;
  base::FlagSet flags("ringmaster-coordinator", "x");
  AddFlags(flags, parsed.options);
  words.insert(words.begin(), "ringmaster-coordinator");
  parsed.status = flags.Parse(static_cast<int>(words.size()), words.data());
  if (parsed.status.ok()) parsed.status = Check("/home/ada", parsed.options);
  return parsed;
}

TEST_CASE("a state folder is enough") {
  const Parsed parsed = Parse({"--state", "cluster"});
  REQUIRE(parsed.status.ok());
  CHECK(parsed.options.state == "/home/ada/cluster");
  CHECK(parsed.options.storage == "/home/ada/cluster/storage");
  CHECK(parsed.options.listen_at.port == 7070);
  CHECK(parsed.options.http_at.port == 0);
  CHECK(parsed.options.advertise == "127.0.0.1");
  CHECK(parsed.options.policy == "priority");
}

TEST_CASE("the time that known workers have to come back is a duration") {
  CHECK(Parse({"--state", "s"}).options.adopt_within == absl::Seconds(30));
  CHECK(Parse({"--state", "s", "--adopt-window", "1500ms"}).options.adopt_within ==
        absl::Milliseconds(1500));
  const Parsed parsed = Parse({"--state", "s", "--adopt-window", "soon"});
  CHECK(absl::IsInvalidArgument(parsed.status));
  CHECK(absl::StrContains(parsed.status.message(), "--adopt-window"));
}

TEST_CASE("how many ended jobs are kept is a number that is not negative") {
  CHECK(Parse({"--state", "s"}).options.keep_jobs == 1000);
  CHECK(Parse({"--state", "s", "--keep-jobs", "20"}).options.keep_jobs == 20);
  CHECK(absl::IsInvalidArgument(Parse({"--state", "s", "--keep-jobs", "-1"}).status));
}

TEST_CASE("folders and files are absolute") {
  const Parsed parsed =
      Parse({"--state", "../s", "--storage", "/mnt/x", "--address-file", "a/address"});
  REQUIRE(parsed.status.ok());
  CHECK(parsed.options.state == "/home/s");
  CHECK(parsed.options.storage == "/mnt/x");
  CHECK(parsed.options.address_file == "/home/ada/a/address");
}

TEST_CASE("addresses beyond loopback need to be asked for by name") {
  for (const char* flag : {"--listen", "--http"}) {
    CAPTURE(flag);
    const Parsed refused = Parse({"--state", "s", flag, "10.0.0.1:80"});
    CHECK(absl::IsInvalidArgument(refused.status));
    CHECK(absl::StartsWith(refused.status.message(), flag));
    CHECK(absl::EndsWith(refused.status.message(), "add --insecure"));
    CHECK(Parse({"--state", "s", flag, "10.0.0.1:80", "--insecure"}).status.ok());
    CHECK(Parse({"--state", "s", flag, "localhost:80"}).status.ok());
  }
}

TEST_CASE("who listens on every address must say by which one it is reached") {
  const Parsed refused = Parse({"--state", "s", "--listen", "0.0.0.0:7070", "--insecure"});
  CHECK(absl::StrContains(refused.status.message(), "--advertise HOST"));
  const Parsed fine =
      Parse({"--state", "s", "--listen", "0.0.0.0:7070", "--insecure", "--advertise", "node-1"});
  REQUIRE(fine.status.ok());
  CHECK(fine.options.advertise == "node-1");
}

TEST_CASE("mistakes are named") {
  struct Case {
    std::vector<const char*> words;
    const char* message;
  };
  const Case cases[] = {
      {{}, "--state DIR is needed: where the journal and the logs are kept"},
      {{"--state", "s", "--listen", "7070"}, "--listen: '7070' is no address: HOST:PORT is wanted"},
      {{"--state", "s", "--http", "x"}, "--http: 'x' is no address: HOST:PORT is wanted"},
      {{"--state", "s", "--policy", "best"},
       "flag '--policy' is 'best' but must be one of easy, fifo, first_fit, priority (try "
       "ringmaster-coordinator "
       "--help)"},
  };
  for (const Case& c : cases) {
    const Parsed parsed = Parse(c.words);
    CHECK(parsed.status.code() == absl::StatusCode::kInvalidArgument);
    CHECK(parsed.status.message() == c.message);
  }
}

}  // namespace
}  // namespace rm::coordinator
