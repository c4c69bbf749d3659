package io.millrace.udf.ui;

import java.util.List;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;
import scala.xml.Elem;
import scala.xml.MetaData;
import scala.xml.Node;
import scala.xml.Null$;
import scala.xml.Text;
import scala.xml.TopScope$;
import scala.xml.UnprefixedAttribute;

/// Nodes of Spark's pages. Texts and values of attributes are escaped when the page is written.
final class Html {
    private Html() {}

    static Node text(String text) {
        return new Text(text);
    }

    static Elem element(String name, Node... children) {
        return element(name, Null$.MODULE$, children);
    }

    /// With one attribute.
    static Elem element(String name, String attribute, String value, Node... children) {
        return element(name, new UnprefixedAttribute(attribute, value, Null$.MODULE$), children);
    }

    private static Elem element(String name, MetaData attributes, Node... children) {
        return new Elem(null, name, attributes, TopScope$.MODULE$, false, seq(List.of(children)));
    }

    static <T> Seq<T> seq(List<T> items) {
        return CollectionConverters.asScala(items).toSeq();
    }
}
