//! Traditional characters as the simplified ones in which the rules are written: phones' keyboards, old house names and
//! callers from Hong Kong and Taiwan have them. The table holds those whose simplified form stands in the built-in rules;
//! any other character stays as it is.

use std::sync::LazyLock;

/// Each traditional character and, behind it, its simplified one.
const PAIRS: &str = "\
    萬万東东兩两嚴严個个為为爲为舉举麼么習习鄉乡買买亂乱產产親亲僅仅從从倉仓儀仪們们價价眾众會会傳传傷伤體体\
    餘余側侧償偿兒儿關关養养內内寫写農农沖冲衝冲決决凍冻淨净涼凉幾几擊击劃划剛刚別别製制劇剧辦办務务動动勞劳\
    勢势區区醫医單单賣卖佔占衛卫卻却廠厂廳厅壓压厠厕廁厕廂厢廚厨發发髮发變变隻只檯台臺台颱台葉叶號号後后嚇吓\
    嗎吗啓启啟启員员嗆呛響响嘩哗噴喷廻回迴回園园圍围國国場场塲场壞坏壩坝墜坠墻墙牆墙聲声殼壳處处備备復复複复\
    頭头夾夹婦妇媽妈嬰婴學学寶宝實实寵宠審审傢家寬宽對对導导爾尔塵尘屍尸層层屬属歲岁豈岂崗岗師师帶带幫帮乾干\
    幹干廣广庫库應应廢废開开異异棄弃張张彈弹強强態态惡恶懸悬戲戏戶户纔才撲扑託托執执擴扩揚扬擾扰拋抛搶抢護护\
    報报擔担揀拣擁拥攔拦掛挂擋挡擠挤揮挥撈捞損损據据攬揽擺摆搖摇攤摊數数鬥斗斷断無无舊旧時时顯显曬晒暈晕機机\
    殺杀雜杂權权桿杆來来鬆松闆板極极槍枪標标欄栏樹树檔档橋桥樁桩檢检樓楼橫横殘残毆殴毀毁氣气氫氢漢汉溝沟沒没\
    洩泄潑泼潔洁灑洒窪洼澆浇測测濃浓塗涂湧涌澇涝漲涨漁渔滲渗溫温遊游潰溃滿满滅灭燈灯靈灵災灾爐炉煙烟菸烟燒烧\
    燙烫熱热爺爷狀状獨独豬猪貓猫環环現现電电畫画暢畅療疗監监蓋盖盤盘著着磚砖礙碍禍祸種种積积稱称穩稳竄窜築筑\
    類类糞粪係系繫系緊紧紅红級级純纯綫线線线練练經经綁绑結结繞绕絡络績绩繩绳維维綠绿纜缆縫缝縮缩罰罚羣群聯联\
    脅胁臟脏髒脏臉脸節节蘇苏藥药藍蓝補补裝装見见觀观規规視视觸触認认討讨讓让訓训議议設设訪访證证評评識识詐诈\
    訴诉診诊試试誠诚話话詢询該该語语誤误說说説说請请課课誰谁調调謊谎謂谓謝谢謠谣謹谨負负責责敗败貨货質质販贩\
    貪贪購购貸贷費费賄贿資资賭赌賠赔讚赞贊赞蹤踪車车軋轧軌轨轉转輪轮輕轻載载轎轿輛辆輸输邊边達达遷迁過过運运\
    還还這这進进違违選选遞递遺遗釀酿裏里裡里釣钓鐘钟鋼钢鑰钥錢钱鐡铁鐵铁鏟铲鋪铺銷销鎖锁鍋锅鎮镇長长門门閃闪\
    閉闭問问闖闯間间悶闷鬧闹聞闻隊队陽阳陰阴險险隨随隱隐難难霧雾靜静麵面頂顶項项預预領领頻频題题顏颜風风飛飞\
    飯饭飲饮飾饰馬马駁驳駕驾驗验騎骑騙骗驟骤魚鱼鳥鸟雞鸡鷄鸡鴨鸭鵝鹅黃黄龍龙\
    點点聽听縱纵傾倾絞绞捲卷腳脚囪囱丟丢獲获脫脱網网顔颜業业並并於于汙污樑梁鍾钟翹翘煩烦營营誅诛閘闸貼贴颳刮\
    衆众躥蹿燻熏査查隄堤趕赶燭烛簾帘";

/// The block of ideographs in which all of them lie.
const FIRST: u32 = 0x4E00;
const LAST: u32 = 0x9FFF;

/// By the distance from the first ideograph: what a character becomes; NUL where it stays.
static SIMPLIFIED: LazyLock<Vec<char>> = LazyLock::new(|| {
    let mut simplified = vec!['\0'; (LAST - FIRST + 1) as usize];
    for (from, to) in pairs() {
        if let Some(slot) = place(from).and_then(|at| simplified.get_mut(at)) {
            *slot = to;
        }
    }
    simplified
});

/// The simplified character of a traditional one; any other as it is.
pub(super) fn simplified(c: char) -> char {
    let found = place(c).and_then(|at| SIMPLIFIED.get(at)).copied();
    found.filter(|to| *to != '\0').unwrap_or(c)
}

fn place(c: char) -> Option<usize> {
    u32::from(c).checked_sub(FIRST).map(|at| at as usize)
}

fn pairs() -> impl Iterator<Item = (char, char)> {
    let mut characters = PAIRS.chars();
    std::iter::from_fn(move || Some((characters.next()?, characters.next()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_pairs_in_one_block_and_no_chains() {
        assert_eq!(PAIRS.chars().count() % 2, 0);
        for (from, to) in pairs() {
            assert!((FIRST..=LAST).contains(&u32::from(from)), "{from}");
            assert_ne!(from, to);
            assert_eq!(simplified(from), to, "{from} stands twice");
            assert_eq!(
                simplified(to),
                to,
                "{from} becomes {to}, which becomes another one"
            );
            assert_eq!(from.len_utf8(), to.len_utf8(), "places in a text stay");
        }
        for c in ['火', 'a', '\u{3000}', '\u{20000}'] {
            assert_eq!(simplified(c), c);
        }
    }
}
