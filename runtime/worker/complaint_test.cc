#include "runtime/worker/complaint.h"

#include <catch2/catch.hpp>

namespace rm::worker {
namespace {

using Said = std::optional<absl::Duration>;

TEST_CASE("a trouble is said at its beginning, when it changes, and each interval") {
  struct Event {
    int second;
    const char* what;
    std::optional<int> said;  // since how many seconds
  };
  const Event events[] = {{100, "refused", 0},
                          {101, "refused", std::nullopt},
                          {129, "refused", std::nullopt},
                          {130, "refused", 30},
                          {140, "no route", 40},
                          {141, "refused", 41},
                          {142, "refused", std::nullopt},
                          {171, "refused", 71}};
  Complaint complaint(absl::Seconds(30));
  for (const Event& event : events) {
    INFO("at second " << event.second);
    const Said said = complaint.Due(event.what, absl::Seconds(event.second));
    CHECK(said.has_value() == event.said.has_value());
    if (said.has_value() && event.said.has_value()) CHECK(*said == absl::Seconds(*event.said));
  }
}

TEST_CASE("a trouble that comes again is a new one") {
  Complaint complaint(absl::Seconds(30));
  CHECK(complaint.Due("refused", absl::Seconds(1)) == Said(absl::ZeroDuration()));
  complaint.Over();
  CHECK(complaint.Due("refused", absl::Seconds(2)) == Said(absl::ZeroDuration()));
}

}  // namespace
}  // namespace rm::worker
