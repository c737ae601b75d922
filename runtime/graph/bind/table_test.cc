#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "runtime/graph/bind/binders.h"

namespace rm::graph {
namespace {

TEST_CASE("binders stand in alphabetical order, each operator once", "[bind]") {
  std::string before;
  for (const BinderEntry& entry : BinderTable()) {
    CAPTURE(entry.op);
    CHECK(before < entry.op);
    CHECK(entry.bind != nullptr);
    before = entry.op;
  }
}

// A graph that is bound already is bound again before each batch size: what a binder leaves behind
// must be something it takes.
TEST_CASE("what a binder leaves behind has a binder that takes it, or needs none", "[bind]") {
  std::set<std::string> ops;
  for (const BinderEntry& entry : BinderTable()) ops.insert(entry.op);
  for (const BinderEntry& entry : BinderTable()) {
    if (entry.canonical == nullptr || ops.count(entry.canonical) == 0) continue;
    CAPTURE(entry.op);
    const bool kept = std::string(entry.op) == entry.canonical;
    const bool rewritten = ops.count(entry.canonical) > 0;
    CHECK((kept || rewritten));
  }
}

TEST_CASE("the number of elements is checked before anybody multiplies", "[bind]") {
  CHECK(*CheckedElements({}) == 1);
  CHECK(*CheckedElements({2, 3}) == 6);
  CHECK(*CheckedElements({kElementsMax, 0, 1}) == 0);
  // Nothing is in it, but whoever drops or skips the 0 multiplies the rest.
  CHECK_FALSE(CheckedElements({int64_t{1} << 62, 0, 5}).ok());
  CHECK_FALSE(CheckedElements({0, int64_t{1} << 62, int64_t{1} << 62}).ok());
  CHECK(*CheckedElements({kElementsMax}) == kElementsMax);
  CHECK_FALSE(CheckedElements({kElementsMax, 2}).ok());
  CHECK_FALSE(CheckedElements({int64_t{1} << 40, int64_t{1} << 40, int64_t{1} << 40}).ok());
  CHECK(CheckedElements({2, -1}).status().message() == "a dimension of -1");
}

}  // namespace
}  // namespace rm::graph
