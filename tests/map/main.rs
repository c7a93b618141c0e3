//! The live map in a real browser: what a person at the operations centre sees, on a large screen, a telephone and by keys
//! alone; and the stream of events that feeds it, of a running city.
#![allow(clippy::unwrap_used)]

mod browser;
#[path = "../city/mod.rs"]
mod city;
mod events;
mod served;

use browser::{Browser, Page};
use serde_json::json;
use served::Served;

/// The texts of the rows, top first.
const ROWS: &str = "[...document.querySelectorAll('#list li')].map(row => row.dataset.id)";

fn opened(browser: &mut Browser, served: &Served) -> Page {
    let page = browser.open(&served.url());
    browser.until(
        &page,
        "it is live",
        "document.querySelector('#status').dataset.state === 'live'",
    );
    page
}

fn rows(browser: &mut Browser, page: &Page, wanted: &[&str]) {
    let wanted = json!(wanted).to_string();
    browser.until(
        page,
        &format!("the rows are {wanted}"),
        &format!("JSON.stringify({ROWS}) === '{wanted}'"),
    );
}

#[test]
fn shows_what_is_open_and_follows_each_change() {
    let served = Served::start(&[]);
    served.put("a", 1, "P3", "OPEN");
    served.put("b", 1, "P1", "OPEN");
    served.put("c", 1, "P2", "CLOSED");
    let mut browser = Browser::start();
    let page = opened(&mut browser, &served);
    rows(&mut browser, &page, &["b", "a"]);
    browser.until(
        &page,
        "the grid is there",
        "import('/map/main.js').then(map => map.drawing.names.length === 18)",
    );

    // A sign of its band's colour stands where the incident is.
    let stands = "import('/map/main.js').then(({drawing}) => {
        const [x, y] = drawing.pixel(121.2236, 31.0322), dots = devicePixelRatio;
        const [r, g, b] = drawing.canvas.getContext('2d').getImageData(x * dots, y * dots, 1, 1).data;
        return [r, g, b].join() === 'COLOUR';
    })";
    browser.until(&page, "P1 is drawn", &stands.replace("COLOUR", "179,0,27"));

    served.put("d", 1, "P2", "OPEN");
    rows(&mut browser, &page, &["b", "d", "a"]);
    let news = "document.querySelector('#news').textContent";
    assert_eq!(browser.eval(&page, news), "", "what was open already is no news");
    served.put("a", 2, "P1", "OPEN");
    rows(&mut browser, &page, &["a", "b", "d"]);
    browser.until(&page, "it is said", &format!("{news}.includes('road ponding')"));
    browser.until(&page, "the title counts", "document.title.startsWith('(2 P1) ')");
    served.put("b", 2, "P1", "CLOSED");
    served.remove("b");
    rows(&mut browser, &page, &["a", "d"]);
    let counts = browser.eval(
        &page,
        "[...document.querySelectorAll('[data-count]')].map(it => it.textContent).join()",
    );
    assert_eq!(counts, "1,1,0,0");

    browser.eval(&page, "document.querySelector('[value=P1]').click()");
    rows(&mut browser, &page, &["d"]);
    browser.eval(&page, "document.querySelector('[value=P1]').click()");
    let filtered = "(kind => { const it = document.querySelector('[name=kind]'); it.value = kind;
        it.dispatchEvent(new Event('change', {bubbles: true})); return it.value })";
    browser.eval(&page, &format!("{filtered}('none')"));
    rows(&mut browser, &page, &["a", "d"]);
    assert_eq!(
        browser.eval(&page, &format!("{filtered}('road_ponding')")),
        "road_ponding"
    );
    rows(&mut browser, &page, &["a", "d"]);

    // A click on the sign tells why.
    let place = browser.eval(
        &page,
        "import('/map/main.js').then(({drawing}) => drawing.pixel(121.2236, 31.0322)
            .map((it, at) => it + [drawing.canvas.getBoundingClientRect().x, drawing.canvas.getBoundingClientRect().y][at]))",
    );
    browser.click(&page, place[0].as_f64().unwrap(), place[1].as_f64().unwrap());
    let told = "document.querySelector('#details').innerText";
    browser.until(
        &page,
        "the details are open",
        &format!("{told}.includes('27 cm of water') && {told}.includes('下穿通道积水27厘米')"),
    );
    browser.shot(&page, "large");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn goes_on_after_the_process_was_away() {
    let served = Served::start(&[]);
    served.put("a", 1, "P3", "OPEN");
    served.put("b", 1, "P3", "OPEN");
    let mut browser = Browser::start();
    let page = opened(&mut browser, &served);
    rows(&mut browser, &page, &["a", "b"]);
    // Were it to begin anew, there would be a moment without rows.
    browser.eval(
        &page,
        "new MutationObserver(() => { window.least = Math.min(window.least ?? 9, document.querySelectorAll('#list li').length) })
            .observe(document.querySelector('#list'), {childList: true}), 0",
    );
    let served = served.stopped();
    browser.until(
        &page,
        "it says so",
        "document.querySelector('#status').dataset.state === 'away'",
    );
    served.put("c", 1, "P1", "OPEN");
    served.put("b", 2, "P2", "OPEN");
    served.remove("a");
    let served = served.started();
    rows(&mut browser, &page, &["c", "b"]);
    browser.until(
        &page,
        "it is live",
        "document.querySelector('#status').dataset.state === 'live'",
    );
    assert_eq!(browser.eval(&page, "window.least >= 2"), true);
    drop(served);
}

#[test]
fn keys_alone_are_enough() {
    let served = Served::start(&[]);
    served.put("a", 1, "P1", "OPEN");
    served.put("b", 1, "P2", "OPEN");
    let mut browser = Browser::start();
    let page = opened(&mut browser, &served);
    rows(&mut browser, &page, &["a", "b"]);
    let focus = "document.activeElement.closest('li')?.dataset.id ?? document.activeElement.id";
    // Everything that can be used comes in turn, and shows that it has the focus.
    let mut seen = Vec::new();
    for _ in 0..14 {
        browser.key(&page, "Tab");
        seen.push(
            browser
                .eval(
                    &page,
                    "(it => it.id || it.name + (it.value ?? '') + (it.dataset.zoom ?? '') + (it.closest('li')?.dataset.id ?? ''))
                        (document.activeElement)",
                )
                .as_str()
                .unwrap()
                .to_owned(),
        );
        if seen.last().is_some_and(|last| last == "a") {
            break;
        }
        let outlined = "getComputedStyle(document.activeElement).outlineStyle !== 'none'";
        assert_eq!(browser.eval(&page, outlined), true, "{seen:?}");
    }
    for wanted in ["bandP1", "bandP4", "kind", "map", "in", "all", "a"] {
        assert!(seen.iter().any(|it| it == wanted), "{wanted} is not in {seen:?}");
    }
    browser.key(&page, "ArrowDown");
    assert_eq!(browser.eval(&page, focus), "b");
    browser.key(&page, "Enter");
    browser.until(
        &page,
        "the details are open",
        "!document.querySelector('#details').hidden",
    );
    // News does not take the focus away.
    served.put("0", 1, "P1", "OPEN");
    rows(&mut browser, &page, &["0", "a", "b"]);
    assert_eq!(browser.eval(&page, focus), "b");
    browser.key(&page, "Escape");
    assert_eq!(
        browser.eval(&page, "document.querySelector('#details').hidden"),
        true
    );
    assert_eq!(browser.eval(&page, focus), "b");
    let scale = "import('/map/main.js').then(map => map.drawing.view.scale)";
    browser.eval(&page, "document.querySelector('#map').focus()");
    let before = browser.eval(&page, scale).as_f64().unwrap();
    browser.key(&page, "+");
    assert!(browser.eval(&page, scale).as_f64().unwrap() > before);
    browser.key(&page, "0");
    assert_eq!(browser.eval(&page, scale).as_f64().unwrap(), before);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn can_be_read_on_a_telephone_and_at_night() {
    let served = Served::start(&[]);
    for (id, band) in [("a", "P1"), ("b", "P2"), ("c", "P3"), ("d", "P4")] {
        served.put(id, 1, band, "OPEN");
    }
    let mut browser = Browser::start();
    let page = opened(&mut browser, &served);
    browser.size(&page, 360, 640);
    rows(&mut browser, &page, &["a", "b", "c", "d"]);
    browser.eval(&page, "document.querySelector('#list button').click()");
    for shade in ["light", "dark"] {
        browser.shade(&page, shade);
        // WCAG 2.2, 1.4.3: 4.5 to 1 for every text, against the nearest ground that is not transparent.
        let poor = browser.eval(
            &page,
            "(() => {
                const light = ([r, g, b]) => {
                    const [x, y, z] = [r, g, b].map(it => it / 255).map(it => it <= 0.04045 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4);
                    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
                };
                const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
                const ground = it => {
                    for (; it; it = it.parentElement) {
                        const [r, g, b, a = 1] = numbers(getComputedStyle(it).backgroundColor);
                        if (a > 0) return [r, g, b];
                    }
                    return [255, 255, 255];
                };
                const poor = [];
                let texts = 0;
                const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
                while (walk.nextNode()) {
                    const it = walk.currentNode.parentElement;
                    if (!walk.currentNode.data.trim() || !it.checkVisibility() || it.closest('noscript')) continue;
                    texts += 1;
                    const [a, b] = [light(numbers(getComputedStyle(it).color)), light(ground(it))];
                    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
                    if (ratio < 4.5) poor.push(`${walk.currentNode.data.trim()} ${ratio.toFixed(2)}`);
                }
                return texts > 40 ? poor : [`${texts} texts`];
            })()",
        );
        assert_eq!(poor, json!([]), "{shade}");
        browser.shot(&page, shade);
    }
    let fits = "document.documentElement.scrollWidth <= innerWidth && document.documentElement.scrollHeight <= innerHeight";
    assert_eq!(browser.eval(&page, fits), true);
    let small = browser.eval(
        &page,
        "[...document.querySelectorAll('button, select, label')].filter(it => it.checkVisibility())
            .filter(it => it.getBoundingClientRect().height < 24 || it.getBoundingClientRect().width < 24)
            .map(it => it.outerHTML)",
    );
    assert_eq!(small, json!([]), "WCAG 2.2, 2.5.8: 24 by 24 to be touched");
}

#[test]
fn what_a_record_says_is_text_whatever_it_says() {
    let served = Served::start(&[]);
    served.put_named("a", "<img src=x onerror=document.title='owned'><b>积水</b>");
    let mut browser = Browser::start();
    let page = opened(&mut browser, &served);
    rows(&mut browser, &page, &["a"]);
    browser.eval(&page, "document.querySelector('#list button').click()");
    browser.until(
        &page,
        "the details are open",
        "document.querySelector('#details').innerText.includes('onerror')",
    );
    assert_eq!(
        browser.eval(
            &page,
            "document.querySelectorAll('img, #list b, #details b').length"
        ),
        0
    );
    // And if something were slipped in, the page's policy would not run it.
    browser.eval(
        &page,
        "document.body.insertAdjacentHTML('beforeend', '<img src=\"/nothing\" onerror=\"document.title=1\">'), 0",
    );
    browser.until_complaint("a script in the page is refused", |text| {
        text.contains("Content Security Policy")
    });
    assert!(
        browser
            .eval(&page, "document.title")
            .as_str()
            .unwrap()
            .contains("Live incidents")
    );
}

#[test]
fn a_browser_asks_for_the_token_by_itself() {
    let served = Served::start(&[("desk", "river-42")]);
    served.put("a", 1, "P1", "OPEN");
    let mut browser = Browser::start();
    browser.answer_with("desk", "river-42");
    let page = opened(&mut browser, &served);
    rows(&mut browser, &page, &["a"]);
    assert!(browser.asked() > 0, "nobody was asked for a token");
    served.put("b", 1, "P1", "OPEN");
    rows(&mut browser, &page, &["a", "b"]);
}
