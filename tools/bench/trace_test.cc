#include "tools/bench/trace.h"

#include <catch2/catch.hpp>
#include <string>

namespace rm::bench {
namespace {

constexpr char kHeader[] = "job_id,submit_s,gpus,cpus,mem_mib,duration_s,group,requested_s\n";

std::string ErrorOf(const std::string& text) {
  const auto jobs = ParseTrace(text, "t.csv");
  REQUIRE_FALSE(jobs.ok());
  return std::string(jobs.status().message());
}

TEST_CASE("a row is a job") {
  const auto jobs = ParseTrace(std::string(kHeader) + "a,10,8,,,771324,ee9e8c,3600\r\n", "t.csv");
  REQUIRE(jobs.ok());
  REQUIRE(jobs->size() == 1);
  const TraceJob& job = (*jobs)[0];
  CHECK(job.name == "a");
  CHECK(job.submit == 10);
  CHECK(job.slots == 8);
  CHECK(job.duration == 771324);
  CHECK(job.group == "ee9e8c");
  CHECK(job.requested == 3600);
}

TEST_CASE("cpus count where there are no gpus, fractions are cut off and seconds rounded") {
  const auto jobs = ParseTrace(std::string(kHeader) + "a,0.5,0,3.9,,0.2,g,\nb,1.4,,2,,9.6,g,\n", "t");
  REQUIRE(jobs.ok());
  CHECK((*jobs)[0].slots == 3);
  CHECK((*jobs)[0].submit == 1);
  CHECK((*jobs)[0].duration == 1);
  CHECK((*jobs)[1].slots == 2);
  CHECK((*jobs)[1].duration == 10);
}

TEST_CASE("jobs come in order of submission, and as in the file where that is equal") {
  const auto jobs =
      ParseTrace("duration_s,job_id,submit_s,gpus\n5,late,9,1\n5,x,3,1\n5,y,3,1\n\n", "t");
  REQUIRE(jobs.ok());
  REQUIRE(jobs->size() == 3);
  CHECK((*jobs)[0].name == "x");
  CHECK((*jobs)[1].name == "y");
  CHECK((*jobs)[2].name == "late");
  CHECK((*jobs)[0].group.empty());
  CHECK((*jobs)[0].requested == 0);
}

TEST_CASE("what cannot be read is said with its line and column") {
  CHECK(ErrorOf("job_id,submit_s,gpus\n").find("t.csv:1: there is no column duration_s") == 0);
  CHECK(ErrorOf("").find("t.csv:1: there is no column job_id") == 0);
  CHECK(ErrorOf(std::string(kHeader) + "a,1,1,,,5,g,\nb,x,1,,,5,g,\n").find(
            "t.csv:3: column submit_s: 'x' is not a number") == 0);
  CHECK(ErrorOf(std::string(kHeader) + "a,1,-1,,,5,g,\n").find("column gpus: '-1'") !=
        std::string::npos);
  CHECK(ErrorOf(std::string(kHeader) + "a,1,1,,,nan,g,\n").find("column duration_s: 'nan'") !=
        std::string::npos);
  CHECK(ErrorOf(std::string(kHeader) + "a,1e300,1,,,5,g,\n").find("column submit_s") !=
        std::string::npos);
}

}  // namespace
}  // namespace rm::bench
