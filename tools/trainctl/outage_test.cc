#include "tools/trainctl/outage.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/time/clock.h"

namespace rm::trainctl {
namespace {

using Lines = std::vector<std::string>;

struct World {
  Lines said;
  Outage OutageOf(absl::Duration patience) {
    return Outage(patience, [this](const std::string& line) { said.push_back(line); });
  }
};

const absl::Status kAway = absl::UnavailableError(
    "the coordinator at 127.0.0.1:7070 is not available (gone): 'trainctl cluster up' starts one on "
    "this machine, -c HOST:PORT names another");

TEST_CASE("an outage is said once when it begins and once when it is over") {
  World world;
  Outage outage = world.OutageOf(absl::Minutes(10));
  outage.NoteBack();  // it was never away
  CHECK(world.said.empty());
  CHECK(outage.Wait(kAway).ok());
  CHECK(outage.Wait(kAway).ok());
  CHECK(world.said == Lines{"the coordinator at 127.0.0.1:7070 is not available (gone); jobs go on "
                            "without it; waiting for it up to 10m 00s"});
  outage.NoteBack();
  outage.NoteBack();
  CHECK(world.said.size() == 2);
  CHECK(world.said.back() == "the coordinator is back");
  CHECK(outage.Wait(absl::OkStatus()).ok());
  CHECK(world.said.size() == 3);
  CHECK(absl::StartsWith(world.said.back(), "the coordinator ended the stream; jobs go on "));
}

TEST_CASE("what asking again does not mend ends at once") {
  World world;
  Outage outage = world.OutageOf(absl::Minutes(10));
  for (const absl::Status& ended :
       {absl::InternalError("broken"), absl::NotFoundError("no job"), absl::CancelledError("")}) {
    CHECK(outage.Wait(ended) == ended);
  }
  CHECK(world.said.empty());
}

TEST_CASE("patience ends, and each outage has its own") {
  World world;
  Outage outage = world.OutageOf(absl::Milliseconds(30));
  const absl::Time begin = absl::Now();
  absl::Status status;
  while ((status = outage.Wait(kAway)).ok()) {
  }
  CHECK(absl::Now() - begin >= absl::Milliseconds(30));
  CHECK(absl::IsUnavailable(status));
  CHECK(status.message() ==
        "the coordinator has been away for 30 ms; the same command goes on when it is back");
  outage.NoteBack();
  CHECK(outage.Wait(kAway).ok());
}

TEST_CASE("without patience the first outage ends everything, in its own words") {
  World world;
  Outage outage = world.OutageOf(absl::ZeroDuration());
  CHECK(outage.Wait(kAway) == kAway);
  CHECK(absl::IsUnavailable(outage.Wait(absl::OkStatus())));
  CHECK(world.said.empty());
}

TEST_CASE("the flag has a default that it understands, and refuses what is no length of time") {
  base::FlagSet flags("trainctl logs", "Logs.");
  std::string text;
  AddPatienceFlag(flags, &text);
  CHECK(ParsePatience(text).value() == absl::Minutes(10));
  CHECK(absl::StrContains(flags.Help(), "(default 10m)"));
  CHECK(absl::IsInvalidArgument(ParsePatience("5").status()));
  CHECK(absl::StrContains(ParsePatience("5").status().message(), "--patience: \"5\""));
}

}  // namespace
}  // namespace rm::trainctl
