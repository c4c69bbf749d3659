package io.millrace.jobs.evaluate.template;

import io.millrace.jobs.evaluate.template.Expression.Arguments;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Parses expressions by descent, each method a level of precedence, the weakest first.
final class ExpressionParser {
    private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");

    private final String source;
    private final List<Token> tokens;
    private int at;

    ExpressionParser(String source) {
        this.source = source;
        this.tokens = Token.read(source);
    }

    /// The whole source as one expression; a comma makes a list of it.
    static Expression parse(String source) {
        ExpressionParser parser = new ExpressionParser(source);
        Expression expression = parser.expression();
        if (parser.peek().is(",")) {
            List<Expression> items = new ArrayList<>(List.of(expression));
            while (parser.accept(",")) {
                items.add(parser.expression());
            }
            expression = new Expression.Items(items);
        }
        parser.requireEnd();
        return expression;
    }

    void requireEnd() {
        if (peek().kind() != Token.Kind.END) {
            throw unexpected("the end");
        }
    }

    Token peek() {
        return tokens.get(at);
    }

    /// A name, which is passed over.
    String name() {
        if (peek().kind() != Token.Kind.NAME) {
            throw unexpected("a name");
        }
        return tokens.get(at++).text();
    }

    boolean accept(String operator) {
        boolean there = peek().is(operator);
        at += there ? 1 : 0;
        return there;
    }

    boolean acceptName(String name) {
        boolean there = peek().isName(name);
        at += there ? 1 : 0;
        return there;
    }

    void require(String operator) {
        if (!accept(operator)) {
            throw unexpected("'" + operator + "'");
        }
    }

    TemplateException unexpected(String expected) {
        return new TemplateException("expected " + expected + ", got " + peek().text() + " in " + source.strip());
    }

    Expression expression() {
        Expression then = disjunction();
        while (acceptName("if")) {
            Expression condition = disjunction();
            then = new Expression.Either(condition, then, acceptName("else") ? expression() : null);
        }
        return then;
    }

    /// An expression without a condition behind it: what a loop goes through.
    Expression disjunction() {
        Expression left = conjunction();
        while (acceptName("or")) {
            left = new Expression.Or(left, conjunction());
        }
        return left;
    }

    private Expression conjunction() {
        Expression left = negation();
        while (acceptName("and")) {
            left = new Expression.And(left, negation());
        }
        return left;
    }

    private Expression negation() {
        return acceptName("not") ? new Expression.Not(negation()) : comparison();
    }

    /// A chain of comparisons holds if each of them does.
    private Expression comparison() {
        Expression left = sum();
        Expression whole = null;
        while (true) {
            String operator = comparator();
            if (operator == null) {
                return whole == null ? left : whole;
            }
            Expression right = sum();
            Expression one = new Expression.Operation(operator, left, right);
            whole = whole == null ? one : new Expression.And(whole, one);
            left = right;
        }
    }

    private @Nullable String comparator() {
        if (peek().kind() == Token.Kind.OPERATOR && COMPARISONS.contains(peek().text())) {
            return tokens.get(at++).text();
        }
        if (acceptName("in")) {
            return "in";
        }
        if (peek().isName("not") && tokens.get(at + 1).isName("in")) {
            at += 2;
            return "not in";
        }
        return null;
    }

    private Expression sum() {
        Expression left = concatenation();
        while (peek().is("+") || peek().is("-")) {
            String operator = tokens.get(at++).text();
            left = new Expression.Operation(operator, left, concatenation());
        }
        return left;
    }

    private Expression concatenation() {
        Expression left = product();
        while (accept("~")) {
            left = new Expression.Operation("~", left, product());
        }
        return left;
    }

    private Expression product() {
        Expression left = power();
        while (peek().is("*") || peek().is("/") || peek().is("//") || peek().is("%")) {
            String operator = tokens.get(at++).text();
            left = new Expression.Operation(operator, left, power());
        }
        return left;
    }

    private Expression power() {
        Expression left = unary(true);
        while (accept("**")) {
            left = new Expression.Operation("**", left, unary(true));
        }
        return left;
    }

    private Expression unary(boolean withFilters) {
        Expression expression;
        if (accept("-")) {
            expression = new Expression.Negative(unary(false));
        } else if (accept("+")) {
            expression = unary(false);
        } else {
            expression = postfix(primary());
        }
        return withFilters ? filters(expression) : expression;
    }

    private Expression primary() {
        Token token = tokens.get(at);
        at++;
        return switch (token.kind()) {
            case STRING -> {
                StringBuilder text = new StringBuilder(token.text());
                while (peek().kind() == Token.Kind.STRING) {
                    text.append(tokens.get(at++).text());
                }
                yield new Expression.Constant(text.toString());
            }
            case INTEGER -> new Expression.Constant(Long.parseLong(token.text()));
            case FLOAT -> new Expression.Constant(Double.parseDouble(token.text()));
            case NAME -> named(token.text());
            case OPERATOR, END -> bracketed(token);
        };
    }

    private static Expression named(String name) {
        return switch (name) {
            case "true", "True" -> new Expression.Constant(true);
            case "false", "False" -> new Expression.Constant(false);
            case "none", "None" -> new Expression.Constant(null);
            default -> new Expression.Name(name);
        };
    }

    private Expression bracketed(Token open) {
        return switch (open.text()) {
            case "(" -> parenthesis();
            case "[" -> new Expression.Items(list("]"));
            case "{" -> entries();
            default -> {
                at--;
                throw unexpected("a value");
            }
        };
    }

    private Expression parenthesis() {
        if (accept(")")) {
            return new Expression.Items(List.of());
        }
        Expression first = expression();
        if (accept(")")) {
            return first;
        }
        require(",");
        List<Expression> items = new ArrayList<>(List.of(first));
        items.addAll(list(")"));
        return new Expression.Items(items);
    }

    private List<Expression> list(String close) {
        List<Expression> items = new ArrayList<>();
        while (!accept(close)) {
            items.add(expression());
            if (!peek().is(close)) {
                require(",");
            }
        }
        return items;
    }

    private Expression entries() {
        List<Expression> keys = new ArrayList<>();
        List<Expression> values = new ArrayList<>();
        while (!accept("}")) {
            keys.add(expression());
            require(":");
            values.add(expression());
            if (!peek().is("}")) {
                require(",");
            }
        }
        return new Expression.Entries(keys, values);
    }

    private Expression postfix(Expression owner) {
        Expression expression = owner;
        while (true) {
            if (accept(".")) {
                expression = peek().kind() == Token.Kind.INTEGER
                        ? new Expression.Subscript(
                                expression,
                                new Expression.Constant(
                                        Long.parseLong(tokens.get(at++).text())))
                        : new Expression.Attribute(expression, name());
            } else if (accept("[")) {
                expression = subscript(expression);
            } else if (accept("(")) {
                expression = new Expression.Call(expression, arguments());
            } else {
                return expression;
            }
        }
    }

    private Expression subscript(Expression owner) {
        Expression from = peek().is(":") ? null : expression();
        if (from != null && accept("]")) {
            return new Expression.Subscript(owner, from);
        }
        require(":");
        Expression to = peek().is("]") || peek().is(":") ? null : expression();
        Expression step = accept(":") && !peek().is("]") ? expression() : null;
        require("]");
        return new Expression.Slice(owner, from, to, step);
    }

    private Arguments arguments() {
        List<Expression> positional = new ArrayList<>();
        Map<String, Expression> named = new LinkedHashMap<>();
        while (!accept(")")) {
            if (peek().kind() == Token.Kind.NAME && tokens.get(at + 1).is("=")) {
                String name = name();
                require("=");
                named.put(name, expression());
            } else {
                positional.add(expression());
            }
            if (!peek().is(")")) {
                require(",");
            }
        }
        return new Arguments(positional, named);
    }

    private Expression filters(Expression of) {
        Expression expression = of;
        while (true) {
            if (accept("|")) {
                String filter = name();
                expression = new Expression.Filtered(expression, filter, accept("(") ? arguments() : Arguments.NONE);
            } else if (acceptName("is")) {
                boolean negated = acceptName("not");
                Expression test = test(expression);
                expression = negated ? new Expression.Not(test) : test;
            } else {
                return expression;
            }
        }
    }

    private Expression test(Expression of) {
        String test = name();
        Arguments arguments = Arguments.NONE;
        if (accept("(")) {
            arguments = arguments();
        } else if (Set.of("eq", "equalto", "sameas", "in").contains(test)) {
            arguments = new Arguments(List.of(postfix(primary())), Map.of());
        }
        return new Expression.Test(of, test, arguments);
    }
}
