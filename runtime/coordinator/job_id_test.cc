#include "runtime/coordinator/job_id.h"

#include <set>

#include <catch2/catch.hpp>

namespace rm::coordinator {
namespace {

TEST_CASE("an id is the name and six letters or digits") {
  CHECK(MakeJobId("mnist", 0) == "mnist-aaaaaa");
  CHECK(MakeJobId("mnist", 1) == "mnist-baaaaa");
  CHECK(MakeJobId("x", (uint64_t{1} << 30) - 1) == "x-777777");
}

TEST_CASE("thirty bits make the difference, and no more") {
  std::set<std::string> ids;
  for (int bit = 0; bit < 64; ++bit) ids.insert(MakeJobId("a", uint64_t{1} << bit));
  CHECK(ids.size() == 31);  // thirty of one bit each, and the rest as zero
}

}  // namespace
}  // namespace rm::coordinator
