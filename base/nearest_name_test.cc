#include "base/nearest_name.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace rm::base {
namespace {

using Words = std::vector<std::string>;

TEST_CASE("a slip of the finger finds its name, something else finds none") {
  const Words names = {"epochs", "steps", "seed", "global_batch_size"};
  const struct {
    std::string word, nearest;
  } cases[] = {
      {"epoch", "epochs"},  {"epocsh", "epochs"}, {"sead", "seed"}, {"step", "steps"},
      {"setps", "steps"},   {"seedd", "seed"},    {"batch_size", ""},   {"optimizer", ""},    {"", ""},         {"x", ""},
      {"globl_batch_size", "global_batch_size"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.word);
    CHECK(NearestName(c.word, names) == c.nearest);
  }
}

TEST_CASE("of equally near names the first wins, and an exact one before all") {
  CHECK(NearestName("cat", Words{"bat", "hat"}) == "bat");
  CHECK(NearestName("hat", Words{"bat", "hat"}) == "hat");
}

TEST_CASE("a suggestion is half a sentence or nothing") {
  CHECK(Suggestion("epoch", Words{"epochs"}) == " – did you mean 'epochs'?");
  CHECK(Suggestion("zebra", Words{"epochs"}).empty());
  CHECK(Suggestion("zebra", Words{}).empty());
}

}  // namespace
}  // namespace rm::base
