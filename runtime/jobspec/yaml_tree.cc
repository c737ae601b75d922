// Guards, and what each is against: the bound on nodes against bombs of aliases and endless lists;
// the bound on depth, our own and yaml-cpp's, against stacks that overflow (reading, copying and
// destroying a tree recurse); anchors that are only known once they are complete against cycles;
// the try block against whatever else a parser of a rich language may run into.
#include "runtime/jobspec/yaml_tree.h"

#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <sstream>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"

namespace rm::jobspec {
namespace {

using Kind = YamlNode::Kind;

// YAML 1.1's merge key: not part of 1.2, but what people who write anchors use them for.
constexpr char kMergeKey[] = "<<";
// The tags that yaml-cpp gives to untagged text, plain and quoted.
constexpr char kPlainTag[] = "?";
constexpr char kQuotedTag[] = "!";

// What a copy of the node costs.
int CountNodes(const YamlNode& node) {
  int count = 1;
  for (const YamlNode& element : node.elements) count += CountNodes(element);
  for (const YamlMember& member : node.members) count += CountNodes(member.value);
  return count;
}

// Levels from the node down to its deepest leaf, itself included.
size_t DepthOf(const YamlNode& node) {
  size_t deepest = 0;
  for (const YamlNode& element : node.elements) deepest = std::max(deepest, DepthOf(element));
  for (const YamlMember& member : node.members) {
    deepest = std::max(deepest, DepthOf(member.value));
  }
  return deepest + 1;
}

// Builds the tree from yaml-cpp's events. After the first error that ends it, further events are
// passed over.
class TreeBuilder final : public YAML::EventHandler {
 public:
  [[nodiscard]] YamlTree Take() { return std::move(tree_); }
  [[nodiscard]] bool stopped() const { return stopped_; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ == 2) Stop(mark, "a job file is one YAML document; this begins a second one");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Add(NodeAt(mark, Kind::kNull), anchor);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    if (!CheckTag(mark, tag)) return;
    YamlNode node = NodeAt(mark, Kind::kText);
    node.text = value;
    node.quoted = tag == kQuotedTag;
    // YAML's ways to write nothing.
    const bool is_null = value == "~" || value == "null" || value == "Null" || value == "NULL";
    if (is_null && !node.quoted) node.kind = Kind::kNull;
    Add(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (stopped_) return;
    const auto known = anchors_.find(anchor);
    if (known == anchors_.end()) {
      return Stop(mark, "this alias stands inside what it stands for: a cycle");
    }
    if (open_.size() + DepthOf(known->second) > kYamlDepthMax) return StopTooDeep(mark);
    if (Charge(mark, CountNodes(known->second))) Add(known->second, 0);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Begin(mark, tag, anchor, Kind::kList);
  }
  void OnSequenceEnd() override { End(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Begin(mark, tag, anchor, Kind::kMapping);
  }
  void OnMapEnd() override { End(); }

  void Stop(const YAML::Mark& mark, const std::string& what) {
    if (!stopped_) Report(mark.line + 1, mark.column + 1, what);
    stopped_ = true;
    tree_.complete = false;
  }
  void StopTooDeep(const YAML::Mark& mark) {
    Stop(mark, absl::StrCat("values are nested more than ", kYamlDepthMax, " deep"));
  }
  // The parser only knows that the text ended; the quote stands after the last node that was whole.
  void StopAtOpenQuote() {
    Stop(last_, "this is not valid YAML: a quote is opened here or soon after, and never closed");
  }

 private:
  // A list or mapping that has begun and not ended.
  struct Open {
    YamlNode node;
    YAML::anchor_t anchor = 0;
    bool has_name = false;  // mapping: the next node is the value of `name`
    YamlMember name;
    absl::flat_hash_set<std::string> names;
    std::vector<YamlNode> merged;  // values of merge keys, in order
  };

  // A node where yaml-cpp says it begins; its marks count from 0.
  static YamlNode NodeAt(const YAML::Mark& mark, Kind kind) {
    YamlNode node;
    node.kind = kind;
    node.line = mark.line + 1;
    node.column = mark.column + 1;
    return node;
  }

  // Adds an error and goes on: the structure of the text is still sound.
  void Report(int line, int column, std::string what) {
    tree_.errors.push_back({line, column, "", std::move(what)});
  }

  // A tag would claim a type; here the table of keys knows which is wanted.
  bool CheckTag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == kPlainTag || tag == kQuotedTag) return true;
    Stop(mark, absl::StrCat("YAML tags ('", tag, "') have no meaning in a job file"));
    return false;
  }

  // Counts nodes against the bound; false when it is reached.
  bool Charge(const YAML::Mark& mark, int count) {
    if (stopped_) return false;
    nodes_ += count;
    if (nodes_ <= kYamlNodesMax) return true;
    Stop(mark, absl::StrCat("the file has more than ", kYamlNodesMax,
                            " values, aliases resolved; a job file has some hundred"));
    return false;
  }

  // A list or mapping opens. Its place is taken now, what is in it when it ends.
  void Begin(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Kind kind) {
    if (stopped_ || !CheckTag(mark, tag)) return;
    if (open_.size() == kYamlDepthMax) return StopTooDeep(mark);
    Open open;
    open.node = NodeAt(mark, kind);
    open.anchor = anchor;
    open_.push_back(std::move(open));
  }

  // A list or mapping closes, and is an element, a value or a key of the one around it.
  void End() {
    if (stopped_) return;
    Open done = std::move(open_.back());
    open_.pop_back();
    for (const YamlNode& source : done.merged) Merge(source, done);
    Add(std::move(done.node), done.anchor);
  }

  // A node is complete: it goes into what is open, and is remembered if it has an anchor.
  void Add(YamlNode node, YAML::anchor_t anchor) {
    const YAML::Mark mark = MarkOf(node);
    last_ = mark;
    if (!Charge(mark, 1)) return;
    if (anchor != 0) {
      if (!Charge(mark, CountNodes(node))) return;
      anchors_[anchor] = node;
    }
    if (open_.empty()) {
      tree_.root = std::move(node);
      return;
    }
    Open& open = open_.back();
    if (open.node.kind == Kind::kList) {
      open.node.elements.push_back(std::move(node));
    } else if (open.has_name) {
      AddMember(open, std::move(node));
    } else {
      TakeName(open, node);
    }
  }

  // The first of a pair: a name. Whatever else YAML allows as a key has no meaning in a job file.
  void TakeName(Open& open, const YamlNode& node) {
    if (node.kind != Kind::kText) {
      return Stop(MarkOf(node), "a key must be a word, not a list, a mapping or nothing");
    }
    open.has_name = true;
    open.name = {node.text, node.line, node.column, {}};
  }

  // The second of a pair. Of a key that is given twice the first value is kept, so that the rest
  // can still be judged.
  void AddMember(Open& open, YamlNode value) {
    open.has_name = false;
    YamlMember member = std::move(open.name);
    if (member.name == kMergeKey) {
      open.merged.push_back(std::move(value));
      return;
    }
    if (!open.names.insert(member.name).second) {
      return Report(member.line, member.column,
                    absl::StrCat("key '", member.name, "' is given twice"));
    }
    member.value = std::move(value);
    open.node.members.push_back(std::move(member));
  }

  // Adds the members of `source` (a mapping, or a list of them) that `open` does not have itself.
  void Merge(const YamlNode& source, Open& open) {
    if (source.kind == Kind::kList) {
      for (const YamlNode& element : source.elements) {
        if (element.kind != Kind::kMapping) return StopMerge(element);
        MergeMapping(element, open);
      }
    } else if (source.kind == Kind::kMapping) {
      MergeMapping(source, open);
    } else {
      StopMerge(source);
    }
  }

  // What stands in the mapping itself wins over what is merged, and an earlier source over a later
  // one.
  void MergeMapping(const YamlNode& source, Open& open) {
    for (const YamlMember& member : source.members) {
      if (!open.names.insert(member.name).second) continue;
      if (!Charge(MarkOf(source), CountNodes(member.value))) return;
      open.node.members.push_back(member);
    }
  }

  void StopMerge(const YamlNode& node) {
    Stop(MarkOf(node), "'<<' merges mappings; this is none");
  }

  static YAML::Mark MarkOf(const YamlNode& node) {
    YAML::Mark mark;
    mark.line = node.line - 1;
    mark.column = node.column - 1;
    return mark;
  }

  YamlTree tree_;
  std::vector<Open> open_;
  absl::flat_hash_map<YAML::anchor_t, YamlNode> anchors_;  // complete ones: a cycle finds nothing
  YAML::Mark last_;  // of the last complete node
  int documents_ = 0;
  int nodes_ = 0;
  bool stopped_ = false;
};

}  // namespace

const YamlNode* YamlNode::Find(absl::string_view name) const {
  for (const YamlMember& member : members) {
    if (member.name == name) return &member.value;
  }
  return nullptr;
}

// The events are used and not yaml-cpp's own tree: that one keeps only one of two equal keys,
// forgets where keys stand, and shares aliased nodes, so that neither doubled keys nor bombs could
// be seen in it.
YamlTree ParseYaml(absl::string_view text) {
  TreeBuilder builder;
  // yaml-cpp tells errors by exceptions; none leaves this function.
  try {
    // Without the white space at its end: there yaml-cpp passes over a quote that is never closed.
    text.remove_suffix(text.size() - (text.find_last_not_of(" \t\r\n") + 1));
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    while (!builder.stopped() && parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::DeepRecursion& error) {
    builder.StopTooDeep(error.mark);
  } catch (const YAML::Exception& error) {
    if (error.msg == YAML::ErrorMsg::EOF_IN_SCALAR) {
      builder.StopAtOpenQuote();
    } else {
      builder.Stop(error.mark, absl::StrCat("this is not valid YAML: ", error.msg));
    }
  } catch (const std::exception& error) {
    builder.Stop(YAML::Mark(), absl::StrCat("the YAML parser gave up: ", error.what()));
  }
  return builder.Take();
}

}  // namespace rm::jobspec
