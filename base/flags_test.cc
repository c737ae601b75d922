#include "base/flags.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace rm::base {
namespace {

using Words = std::vector<std::string>;

// One flag of each kind.
struct Options {
  std::string listen = "127.0.0.1:0";
  int64_t workers = 2;
  double share = 0.5;
  bool follow = false;
  absl::Duration timeout = absl::Seconds(1);
  Words set;
  FlagSet flags;

  Options() {
    flags.Add("listen", &listen, "HOST:PORT to serve at");
    flags.Add("workers", &workers, "workers to start", 'w');
    flags.Add("share", &share, "a share");
    flags.Add("follow", &follow, "follow the job", 'f');
    flags.Add("timeout", &timeout, "how long to wait");
    flags.Add("set", &set, "key=value, may be repeated");
  }
};

TEST_CASE("every way to write a flag is understood and the rest is kept in order") {
  Options o;
  const auto rest = o.flags.Parse(Words{"submit", "--listen=0.0.0.0:7", "-w", "3", "job.yaml",
                                        "--follow", "--share", "-0.25", "--timeout", "2m", "--set",
                                        "a=1", "--set=b=2", "-", "--", "--not-a-flag"});
  REQUIRE(rest.ok());
  CHECK(*rest == Words{"submit", "job.yaml", "-", "--not-a-flag"});
  CHECK(o.listen == "0.0.0.0:7");
  CHECK(o.workers == 3);
  CHECK(o.share == Approx(-0.25));
  CHECK(o.follow);
  CHECK(o.timeout == absl::Minutes(2));
  CHECK(o.set == Words{"a=1", "b=2"});
}

TEST_CASE("flags not given keep their defaults; the last value wins; switches can be switched off") {
  Options o;
  REQUIRE(o.flags.Parse(Words{"--workers", "4", "--workers=5", "-f", "--follow=false"}).ok());
  CHECK(o.workers == 5);
  CHECK_FALSE(o.follow);
  CHECK(o.listen == "127.0.0.1:0");
}

TEST_CASE("every mistake is one clear line") {
  const struct {
    Words arguments;
    std::string message;
  } cases[] = {
      {{"--worker", "3"}, "unknown flag '--worker' – did you mean '--workers'?"},
      {{"--zzz"}, "unknown flag '--zzz'"},
      {{"-x"}, "unknown flag '-x'"},
      {{"--workers"}, "--workers needs a value"},
      {{"--workers", "many"}, "--workers: 'many' is not a whole number"},
      {{"--workers=1.5"}, "--workers: '1.5' is not a whole number"},
      {{"--share", "half"}, "--share: 'half' is not a number"},
      {{"--follow=perhaps"}, "--follow: 'perhaps' is not true or false"},
  };
  for (const auto& c : cases) {
    Options o;
    const auto rest = o.flags.Parse(c.arguments);
    REQUIRE(rest.status().code() == absl::StatusCode::kInvalidArgument);
    CHECK(std::string(rest.status().message()) == c.message);
  }
  Options o;
  const auto rest = o.flags.Parse(Words{"--timeout", "soon"});
  CHECK(std::string(rest.status().message()).find("--timeout: ") == 0);
}

TEST_CASE("help names every flag with its short form") {
  const std::string help = Options().flags.Help();
  for (const char* part : {"--listen", "-w, --workers", "-f, --follow", "HOST:PORT to serve at"}) {
    CHECK(help.find(part) != std::string::npos);
  }
}

TEST_CASE("only near names are suggested") {
  const Words names = {"epochs", "steps", "seed"};
  CHECK(NearestName("epoch", names) == "epochs");
  CHECK(NearestName("sead", names) == "seed");
  CHECK(NearestName("optimizer", names).empty());
  CHECK(NearestName("", names).empty());
}

}  // namespace
}  // namespace rm::base
