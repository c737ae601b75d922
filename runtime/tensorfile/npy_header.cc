// NumPy reads this dictionary with Python's own parser, restricted to literals. Here it is a
// grammar of three keys and three kinds of values: what NumPy writes is read, and hardly anything
// else.
#include "runtime/tensorfile/npy_header.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "base/status.h"

namespace rm::tensorfile {
namespace {

// NumPy's limit on the number of dimensions (NPY_MAXDIMS) is 32, since 2.0 64.
constexpr size_t kDimensionsMax = 64;

// The types that are plain numbers of at most eight bytes; half precision and complex numbers are
// not among them. One-byte types have no order of bytes, which NumPy writes as '|'.
constexpr std::pair<absl::string_view, absl::string_view> kTypes[] = {
    {"<f4", "F32"}, {"<f8", "F64"}, {"|u1", "U8"},  {"|i1", "I8"},  {"<u2", "U16"}, {"<i2", "I16"},
    {"<u4", "U32"}, {"<i4", "I32"}, {"<u8", "U64"}, {"<i8", "I64"}, {"|b1", "BOOL"},
};

// Walks through the text; each step takes something off its front or fails.
class HeaderParser {
 public:
  explicit HeaderParser(absl::string_view text) : text_(text), rest_(text) {}

  // A comma may stand behind the last entry, and does in what NumPy writes.
  absl::StatusOr<NpyHeader> Parse() {
    RM_RETURN_IF_ERROR(Expect('{'));
    while (!Take('}')) {
      RM_ASSIGN_OR_RETURN(const std::string key, ReadString());
      RM_RETURN_IF_ERROR(Expect(':'));
      RM_RETURN_IF_ERROR(ReadValue(key));
      if (Take(',')) continue;
      RM_RETURN_IF_ERROR(Expect('}'));
      break;
    }
    absl::ConsumeSuffix(&rest_, "\n");
    SkipSpaces();
    if (!rest_.empty()) return Wrong("something stands behind the dictionary");
    if (!has_descr_ || !has_order_ || !has_shape_) {
      return Wrong("the keys must be 'descr', 'fortran_order' and 'shape'");
    }
    return std::move(header_);
  }

 private:
  // Where the parser stands is where the text stopped making sense.
  absl::Status Wrong(absl::string_view what) const {
    return absl::InvalidArgumentError(
        absl::StrCat(what, " (byte ", text_.size() - rest_.size(), " of the header)"));
  }

  void SkipSpaces() {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\t')) rest_.remove_prefix(1);
  }

  // Python allows spaces between any two pieces.
  bool Take(char c) {
    SkipSpaces();
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  absl::Status Expect(char c) {
    if (Take(c)) return absl::OkStatus();
    return Wrong(absl::StrCat("'", std::string(1, c), "' is missing"));
  }

  // Without escapes: no name or type that is read here has any.
  absl::StatusOr<std::string> ReadString() {
    // Python writes either quote.
    const bool is_double = !Take('\'');
    if (is_double && !Take('"')) return Wrong("a text in quotes is missing");
    const size_t end = rest_.find(is_double ? '"' : '\'');
    if (end == absl::string_view::npos) return Wrong("a quote is never closed");
    std::string text(rest_.substr(0, end));
    rest_.remove_prefix(end + 1);
    return text;
  }

  // Each key once.
  absl::Status ReadValue(absl::string_view key) {
    bool& seen = key == "descr" ? has_descr_ : key == "fortran_order" ? has_order_ : has_shape_;
    if (seen || (key != "descr" && key != "fortran_order" && key != "shape")) {
      return Wrong("the keys must be 'descr', 'fortran_order' and 'shape', each once");
    }
    seen = true;
    if (key == "shape") return ReadShape();
    if (key == "fortran_order") return ReadOrder();
    SkipSpaces();
    if (absl::StartsWith(rest_, "[")) {
      return Wrong("the type is a structure (a list in 'descr'); only plain numbers are read");
    }
    RM_ASSIGN_OR_RETURN(header_.descr, ReadString());
    return absl::OkStatus();
  }

  // Both words are read, so that Fortran order is refused as what it is and not as bad syntax.
  absl::Status ReadOrder() {
    SkipSpaces();
    if (absl::ConsumePrefix(&rest_, "False")) return absl::OkStatus();
    if (!absl::ConsumePrefix(&rest_, "True")) return Wrong("True or False is missing");
    header_.fortran_order = true;
    return absl::OkStatus();
  }

  // (), (3,), (3, 4); (3) is a number in Python, and no shape.
  absl::Status ReadShape() {
    RM_RETURN_IF_ERROR(Expect('('));
    // Between two dimensions there must be a comma, behind the last one there may be.
    bool comma = true;
    while (!Take(')')) {
      if (!comma) return Wrong("',' is missing");
      RM_RETURN_IF_ERROR(ReadDimension());
      comma = Take(',');
    }
    if (header_.shape.size() == 1 && !comma) return Wrong("a shape of one dimension ends in ','");
    return absl::OkStatus();
  }

  // No sign and no suffix: Python 2 wrote 3L, and nobody has such files any more.
  absl::Status ReadDimension() {
    SkipSpaces();
    size_t digits = 0;
    const auto is_digit = [](char c) { return '0' <= c && c <= '9'; };
    while (digits < rest_.size() && is_digit(rest_[digits])) ++digits;
    int64_t dimension = 0;
    if (!absl::SimpleAtoi(rest_.substr(0, digits), &dimension)) {
      return Wrong("a dimension must be a whole number from 0 to 2^63 - 1");
    }
    if (header_.shape.size() == kDimensionsMax) return Wrong("there are more than 64 dimensions");
    rest_.remove_prefix(digits);
    header_.shape.push_back(dimension);
    return absl::OkStatus();
  }

  const absl::string_view text_;
  absl::string_view rest_;
  NpyHeader header_;
  bool has_descr_ = false;
  bool has_order_ = false;
  bool has_shape_ = false;
};

}  // namespace

absl::StatusOr<NpyHeader> ParseNpyHeader(absl::string_view text) {
  return HeaderParser(text).Parse();
}

// Keys in alphabetical order, as numpy.lib.format writes them.
std::string FormatNpyHeader(absl::string_view descr, absl::Span<const int64_t> shape) {
  return absl::StrCat("{'descr': '", descr, "', 'fortran_order': False, 'shape': (",
                      absl::StrJoin(shape, ", "), shape.size() == 1 ? ",)" : ")", ", }");
}

std::string DtypeOfDescr(absl::string_view descr) {
  for (const auto& [known, dtype] : kTypes) {
    if (known == descr) return std::string(dtype);
  }
  return "";
}

std::string DescrOfDtype(absl::string_view dtype) {
  for (const auto& [descr, known] : kTypes) {
    if (known == dtype) return std::string(descr);
  }
  return "";
}

}  // namespace rm::tensorfile
