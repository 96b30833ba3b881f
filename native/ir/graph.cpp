// Building and printing graphs.
#include "ir/graph.h"

#include <unordered_map>

#include "threadwheel/error.h"

namespace threadwheel::ir {

Variable* Block::add_parameter(TypePtr type, std::string name) {
  parameters.push_back(std::make_unique<Variable>(Variable{std::move(type), std::move(name), nullptr, this}));
  return parameters.back().get();
}

Node* Block::append(NodeKind kind) {
  nodes.push_back(std::make_unique<Node>(kind, this));
  return nodes.back().get();
}

Variable* Node::add_output(TypePtr type, std::string output_name) {
  outputs.push_back(std::make_unique<Variable>(Variable{std::move(type), std::move(output_name), this, block}));
  return outputs.back().get();
}

Block* Node::add_block() {
  blocks.push_back(std::make_unique<Block>(this));
  return blocks.back().get();
}

const Graph& Function::graph() {
  if (const Graph* const graph = ready_.load(std::memory_order_acquire)) return *graph;
  const std::lock_guard lock(*mutex_);
  if (graph_ == nullptr) {
    if (compiling_) throw Error(ErrorCode::kUnsupported, name_ + ": calls itself; recursion is not supported");
    compiling_ = true;
    const struct Reset {
      bool& flag;
      ~Reset() { flag = false; }
    } reset{compiling_};
    graph_ = compile_(*this);
    ready_.store(graph_.get(), std::memory_order_release);
  }
  return *graph_;
}

namespace {

std::string quote(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    if (c == '\n') {
      result += "\\n";
    } else {
      result += c;
    }
  }
  return result + '"';
}

std::string describe(const Value& value) {
  switch (value.tag()) {
    case ValueTag::kNone: return "None";
    case ValueTag::kBool: return value.to_bool() ? "True" : "False";
    case ValueTag::kInt: return std::to_string(value.to_int());
    case ValueTag::kDouble: {
      char text[32];
      std::snprintf(text, sizeof text, "%.9g", value.to_double());
      return text;
    }
    case ValueTag::kString:
    case ValueTag::kDevice: return quote(value.to_string());
    case ValueTag::kTensor:
      return std::string(dtype_name(value.to_tensor().dtype())) + to_string(value.to_tensor().sizes());
    case ValueTag::kEnum: return value.to_enum().type->name() + "." + value.to_enum().name;
    case ValueTag::kList:
    case ValueTag::kTuple: {
      const bool list = value.is_list();
      std::string text = list ? "[" : "(";
      for (const Value& element : list ? value.to_list() : value.to_tuple())
        text.append(text.size() > 1 ? ", " : "").append(describe(element));
      return text.append(list ? "]" : ")");
    }
    default: return "...";
  }
}

constexpr std::pair<NodeKind, const char*> kNames[] = {
    {NodeKind::kConstant, "prim::Constant"},     {NodeKind::kIf, "prim::If"},
    {NodeKind::kLoop, "prim::Loop"},             {NodeKind::kGetAttribute, "prim::GetAttr"},
    {NodeKind::kSetAttribute, "prim::SetAttr"},  {NodeKind::kCall, "prim::CallFunction"},
    {NodeKind::kCallMethod, "prim::CallMethod"}, {NodeKind::kTuple, "prim::TupleConstruct"},
    {NodeKind::kList, "prim::ListConstruct"},    {NodeKind::kDict, "prim::DictConstruct"},
    {NodeKind::kUnpack, "prim::Unpack"},         {NodeKind::kTupleIndex, "prim::TupleIndex"},
    {NodeKind::kCreateObject, "prim::CreateObject"}, {NodeKind::kIsInstance, "prim::isinstance"},
    {NodeKind::kCast, "prim::unchecked_cast"},   {NodeKind::kUninitialized, "prim::Uninitialized"},
    {NodeKind::kEnumName, "prim::EnumName"},     {NodeKind::kEnumValue, "prim::EnumValue"},
    {NodeKind::kFork, "prim::fork"},             {NodeKind::kWait, "aten::wait"},
    {NodeKind::kRaise, "prim::RaiseException"}};

class Printer {
 public:
  std::string print(const Graph& graph) {
    text_ = "graph " + graph.name + "(" + list(graph.top.parameters) + "):\n";
    body(graph.top, 1, "return");
    return std::move(text_);
  }

 private:
  std::string label(const Variable& variable) {
    const auto [found, is_new] = numbers_.try_emplace(&variable, numbers_.size());
    static_cast<void>(is_new);
    return "%" + (variable.name.empty() ? "" : variable.name + ".") + std::to_string(found->second);
  }

  std::string list(const std::vector<std::unique_ptr<Variable>>& variables) {
    std::string text;
    for (const auto& variable : variables)
      text.append(text.empty() ? "" : ", ").append(label(*variable)).append(" : ").append(variable->type->to_string());
    return text;
  }

  std::string list(const std::vector<Variable*>& variables) {
    std::string text;
    for (const Variable* variable : variables) text.append(text.empty() ? "" : ", ").append(label(*variable));
    return text;
  }

  static std::string what(const Node& node) {
    if (node.kind == NodeKind::kOp) return node.op->schema().full_name();
    std::string text;
    for (const auto& [kind, name] : kNames)
      if (kind == node.kind) text = name;
    if (node.kind == NodeKind::kConstant) text += "[" + describe(node.constant) + "]";
    if (node.function) text += "[" + node.function->name() + "]";
    if (!node.name.empty()) text += "[" + node.name + "]";
    if (node.kind == NodeKind::kTupleIndex) text += "[" + std::to_string(node.index) + "]";
    return text;
  }

  void body(const Block& block, int depth, const char* end) {
    const std::string indent(static_cast<std::size_t>(depth) * 2, ' ');
    for (const auto& node : block.nodes) {
      text_ += indent;
      if (!node->outputs.empty()) text_.append(list(node->outputs)).append(" = ");
      text_.append(what(*node)).append("(").append(list(node->inputs)).append(")\n");
      for (const auto& inner : node->blocks) {
        text_.append(indent).append("  block(").append(list(inner->parameters)).append("):\n");
        body(*inner, depth + 2, "->");
      }
    }
    text_.append(indent).append(end).append(" (").append(list(block.results)).append(")\n");
  }

  std::string text_;
  std::unordered_map<const Variable*, std::size_t> numbers_;
};

}  // namespace

std::string Graph::to_string() const { return Printer().print(*this); }

}  // namespace threadwheel::ir
