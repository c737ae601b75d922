#include "runtime/jobspec/suggest.h"

#include <catch2/catch.hpp>
#include <vector>

namespace rm::jobspec {
namespace {

TEST_CASE("edits are counted, case aside") {
  const struct {
    const char *a, *b;
    int distance;
  } cases[] = {{"", "", 0},           {"epochs", "epochs", 0}, {"epoch", "epochs", 1},
               {"Epochs", "epochs", 0}, {"eopchs", "epochs", 1}, {"steps", "epochs", 5},
               {"", "abc", 3},        {"kitten", "sitting", 3}, {"ca", "abc", 3}};
  for (const auto& test : cases) {
    CAPTURE(test.a, test.b);
    CHECK(EditDistance(test.a, test.b) == test.distance);
    CHECK(EditDistance(test.b, test.a) == test.distance);
  }
}

TEST_CASE("words of any length are compared in bounded time") {
  const std::string endless(1'000'000, 'a');
  CHECK(EditDistance(endless, "a") == 1'000'000);
  CHECK(EditDistance(endless, endless) == 1'000'000);
}

TEST_CASE("the nearest word is suggested, and none when none is near") {
  const std::vector<absl::string_view> keys = {"epochs", "steps", "seed", "optimizer", "lr",
                                               "global_batch_size", "warm_rate", "cold_rate"};
  const struct {
    const char *word, *nearest;
  } cases[] = {{"epoch", "epochs"},  {"setps", "steps"}, {"optimiser", "optimizer"},
               {"SEED", "seed"},     {"banana", ""},     {"", ""},
               {"x", ""},            {"l", "lr"},        {"epocs", "epochs"},
               {"step_count", ""},   {"batch_size", "global_batch_size"},
               {"size", "global_batch_size"}, {"e_b", ""}, {"rate", ""},
               {"stepsize", "steps"}, {"seeding", "seed"}, {"lrate", ""}};
  for (const auto& test : cases) {
    CAPTURE(test.word);
    CHECK(Nearest(test.word, keys) == test.nearest);
  }
}

TEST_CASE("a suggestion is put as a question") {
  CHECK(DidYouMean("epoch", {"epochs"}) == " – did you mean 'epochs'?");
  CHECK(DidYouMean("banana", {"epochs"}).empty());
  CHECK(DidYouMean("epoch", {}).empty());
}

}  // namespace
}  // namespace rm::jobspec
