#include "runtime/tensorfile/npy_header.h"

#include <catch2/catch.hpp>

#include "base/random.h"

namespace rm::tensorfile {
namespace {

using Shape = std::vector<int64_t>;

TEST_CASE("the dictionary is read in any order and with Python's spaces") {
  const struct {
    const char* text;
    const char* descr;
    bool fortran_order;
    Shape shape;
  } cases[] = {
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", "<f4", false, {2, 3}},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }          \n", "<f4", false, {2}},
      {"{'shape': (), 'fortran_order': True, 'descr': '|u1'}\n", "|u1", true, {}},
      {" { \"descr\" : \"<i8\" ,'shape':( 7 , 8 , ),'fortran_order':False } ", "<i8", false, {7, 8}},
      {"{'descr':'','fortran_order':False,'shape':(0,9223372036854775807)}", "", false,
       {0, 9223372036854775807}},
  };
  for (const auto& test : cases) {
    CAPTURE(test.text);
    const auto header = ParseNpyHeader(test.text);
    REQUIRE(header.ok());
    CHECK(header->descr == test.descr);
    CHECK(header->fortran_order == test.fortran_order);
    CHECK(header->shape == test.shape);
  }
}

TEST_CASE("anything else is refused with the place") {
  const struct {
    const char* text;
    const char* message;
  } cases[] = {
      {"", "'{' is missing (byte 0 of the header)"},
      {"{", "a text in quotes is missing (byte 1 of the header)"},
      {"{}", "the keys must be 'descr', 'fortran_order' and 'shape' (byte 2 of the header)"},
      {"{'descr': '<f4', 'fortran_order': False}", "the keys must be 'descr', 'fortran_order' and"},
      {"{'descr': '<f4', 'descr': '<f4'}", "each once"},
      {"{'descr': '<f4', 'size': 3}", "each once"},
      {"{'descr: '<f4'}", "':' is missing"},
      {"{'descr': '<f4", "a quote is never closed"},
      {"{'descr': [('a', '<f4')]}", "the type is a structure"},
      {"{'descr': 4}", "a text in quotes is missing"},
      {"{'fortran_order': 0}", "True or False is missing"},
      {"{'shape': 3}", "'(' is missing"},
      {"{'shape': (3)}", "a shape of one dimension ends in ','"},
      {"{'shape': (3 4)}", "',' is missing"},
      {"{'shape': (-1,)}", "a dimension must be a whole number from 0 to 2^63 - 1"},
      {"{'shape': (9223372036854775808,)}", "a dimension must be a whole number"},
      {"{'shape': (3L,)}", "',' is missing"},
      {"{'shape': (,)}", "a dimension must be a whole number"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} x", "behind the dictionary"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,)", "'}' is missing"},
      {"{'descr': '<f4' 'fortran_order': False}", "'}' is missing"},
  };
  for (const auto& test : cases) {
    CAPTURE(test.text);
    const auto header = ParseNpyHeader(test.text);
    REQUIRE(absl::IsInvalidArgument(header.status()));
    CHECK_THAT(std::string(header.status().message()), Catch::Contains(test.message));
  }
}

TEST_CASE("a shape of too many dimensions is refused") {
  std::string shape;
  for (int i = 0; i < 65; ++i) shape += "1,";
  const auto header = ParseNpyHeader("{'shape': (" + shape + ")}");
  CHECK_THAT(std::string(header.status().message()),
             Catch::Contains("there are more than 64 dimensions"));
}

TEST_CASE("what is written is what NumPy writes, and is read again") {
  CHECK(FormatNpyHeader("<f4", {}) == "{'descr': '<f4', 'fortran_order': False, 'shape': (), }");
  CHECK(FormatNpyHeader("<f4", {2}) == "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }");
  const std::string two = FormatNpyHeader("|u1", {2, 3});
  CHECK(two == "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }");
  CHECK(ParseNpyHeader(two)->shape == Shape{2, 3});
}

TEST_CASE("types have two names, there and back") {
  for (const char* const dtype :
       {"F32", "F64", "U8", "I8", "U16", "I16", "U32", "I32", "U64", "I64", "BOOL"}) {
    CHECK(DtypeOfDescr(DescrOfDtype(dtype)) == dtype);
  }
  CHECK(DtypeOfDescr("<f4") == "F32");
  CHECK(DtypeOfDescr(">f4").empty());
  CHECK(DtypeOfDescr("<u1").empty());
  CHECK(DescrOfDtype("BF16").empty());
}

TEST_CASE("no text makes the parser crash or hang") {
  const std::string good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n";
  base::RandomStream random(2, 2);
  for (int round = 0; round < 20'000; ++round) {
    std::string text = good;
    for (uint64_t edits = 1 + random.NextBelow(4); edits > 0; --edits) {
      const size_t at = random.NextBelow(text.size());
      if (random.NextBelow(3) == 0) text.resize(at + 1);
      text[at] = "{}()',: 1F\"\n\xff\x00"[random.NextBelow(15)];
    }
    const auto header = ParseNpyHeader(text);
    if (header.ok()) CHECK(header->shape.size() <= 64);
  }
}

}  // namespace
}  // namespace rm::tensorfile
